package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Node.AttributeTarget;
import dev.ridgeline.tokenizer.template.Node.Block;
import dev.ridgeline.tokenizer.template.Node.Break;
import dev.ridgeline.tokenizer.template.Node.Call;
import dev.ridgeline.tokenizer.template.Node.CallBlock;
import dev.ridgeline.tokenizer.template.Node.Continue;
import dev.ridgeline.tokenizer.template.Node.Data;
import dev.ridgeline.tokenizer.template.Node.Expr;
import dev.ridgeline.tokenizer.template.Node.Filter;
import dev.ridgeline.tokenizer.template.Node.FilterBlock;
import dev.ridgeline.tokenizer.template.Node.For;
import dev.ridgeline.tokenizer.template.Node.If;
import dev.ridgeline.tokenizer.template.Node.MacroDef;
import dev.ridgeline.tokenizer.template.Node.NameTarget;
import dev.ridgeline.tokenizer.template.Node.Print;
import dev.ridgeline.tokenizer.template.Node.Stmt;
import dev.ridgeline.tokenizer.template.Node.Target;
import dev.ridgeline.tokenizer.template.Node.TupleTarget;
import dev.ridgeline.tokenizer.template.Node.With;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Parses the statements of a template. */
final class Parser extends ExpressionParser {
  private static final Set<String> TAGS =
      Set.of(
          "if",
          "for",
          "set",
          "print",
          "macro",
          "call",
          "filter",
          "with",
          "autoescape",
          "generation",
          "break",
          "continue",
          "block",
          "extends",
          "include",
          "import",
          "from");

  /** An open block: its tag, and the tags that may end or continue it. */
  private record Open(String tag, String... ends) {}

  private final Deque<Open> open = new ArrayDeque<>();
  private final List<Frame> frames = new ArrayList<>();
  private int loops; // around the current token: {% for %} of any kind
  private int breakable; // ... that a break may leave: none beyond the innermost macro

  private Parser(Lexer.Result source) {
    super(source);
  }

  static Block parse(String source) {
    return new Parser(Lexer.tokenize(source)).template();
  }

  private Block template() {
    List<Stmt> body = new ArrayList<>();
    statements(body);
    frame.failIfUnknown();
    frames.add(frame);
    frames.forEach(Frame::resolve);
    return new Block(frame, body);
  }

  /** What {@code parse} reads belongs to {@code inner}. */
  private <T> T within(Frame inner, Supplier<T> parse) {
    Frame outer = frame;
    frame = inner;
    T result = parse.get();
    inner.failIfUnknown();
    frame = outer;
    return result;
  }

  private Frame newFrame() {
    Frame inner = new Frame(frame);
    frames.add(inner);
    return inner;
  }

  /** The statements up to the tag {@code end}, as a block of its own. */
  private Block lastBlock(Frame inner, String tag, String end) {
    return new Block(inner, within(inner, () -> lastBlock(tag, end)));
  }

  /** Until the end of the template, or the name of a tag that ends the innermost open block. */
  private void statements(List<Stmt> body) {
    while (current().type() != Token.Type.EOF) {
      Token token = next();
      switch (token.type()) {
        case DATA -> body.add(new Data(token.text(), token.line()));
        case VARIABLE_BEGIN -> {
          body.add(new Print(tuple(true, false), token.line()));
          expect(Token.Type.VARIABLE_END);
        }
        default -> {
          if (atEndTag()) {
            return;
          }
          body.addAll(nested(this::statement));
          expect(Token.Type.BLOCK_END);
        }
      }
    }
  }

  private boolean atEndTag() {
    return !open.isEmpty()
        && current().type() == Token.Type.NAME
        && Arrays.asList(open.element().ends()).contains(current().text());
  }

  /** The statements after the current tag, up to one of {@code ends}, which stays current. */
  private List<Stmt> block(String tag, String... ends) {
    skipOperator(":"); // Jinja allows Python's colon
    expect(Token.Type.BLOCK_END);
    open.push(new Open(tag, ends));
    List<Stmt> body = new ArrayList<>();
    statements(body);
    if (current().type() == Token.Type.EOF) {
      throw Fault.syntax(line(), "Unexpected end of template.%s", expectation(null));
    }
    open.pop();
    return body;
  }

  private List<Stmt> lastBlock(String tag, String end) {
    List<Stmt> body = block(tag, end);
    next();
    return body;
  }

  private String expectation(@Nullable String found) {
    if (open.isEmpty()) {
      return "";
    }
    Open innermost = open.element();
    String wanted =
        Arrays.stream(innermost.ends()).map(Repr::quote).collect(Collectors.joining(" or "));
    boolean misplaced = open.stream().anyMatch(o -> Arrays.asList(o.ends()).contains(found));
    return (misplaced
            ? " You probably made a nesting mistake. Jinja is expecting this tag, but currently"
                + " looking for "
            : " Jinja was looking for the following tags: ")
        + wanted
        + ". The innermost block that needs to be closed is "
        + Repr.quote(innermost.tag())
        + ".";
  }

  private List<Stmt> statement() {
    if (current().type() != Token.Type.NAME) {
      throw Fault.syntax(line(), "tag name expected");
    }
    Token tag = current();
    int line = tag.line();
    if (!TAGS.contains(tag.text())) {
      throw Fault.syntax(
          line, "Encountered unknown tag '%s'.%s", tag.text(), expectation(tag.text()));
    }
    next();
    return switch (tag.text()) {
      case "if" -> List.of(ifStatement(line));
      case "for" -> List.of(forStatement(line));
      case "set" -> List.of(set(line));
      case "print" -> print(line);
      case "macro" -> List.of(macro(line));
      case "call" -> List.of(callBlock(line));
      case "filter" -> List.of(filterBlock(line));
      case "with" -> List.of(with(line));
      case "autoescape" -> List.of(autoescape(line));
      case "generation" -> List.of(generation(line));
      case "break" -> List.of(new Break(inLoop(tag)));
      case "continue" -> List.of(new Continue(inLoop(tag)));
      default ->
          throw new Fault(
                  "UnsupportedError",
                  "'%s' is not available: a chat template stands alone".formatted(tag.text()))
              .at(line);
    };
  }

  private int inLoop(Token tag) {
    if (breakable == 0) {
      String where = tag.text().equals("break") ? "outside loop" : "not properly in loop";
      throw new Fault("SyntaxError", "'%s' %s".formatted(tag.text(), where)).at(tag.line());
    }
    return tag.line();
  }

  private Stmt ifStatement(int line) {
    int unknownBefore = frame.unknownSoFar();
    List<Expr> tests = new ArrayList<>();
    List<List<Stmt>> bodies = new ArrayList<>();
    List<Stmt> otherwise = List.of();
    frame.enterBranch();
    String tag;
    do {
      tests.add(tuple(false, false));
      bodies.add(block("if", "elif", "else", "endif"));
      tag = next().text();
    } while (tag.equals("elif"));
    if (tag.equals("else")) {
      otherwise = lastBlock("if", "endif");
    }
    frame.leaveBranch();
    frame.forgive(unknownBefore);
    return new If(tests, bodies, otherwise, line);
  }

  private Stmt forStatement(int line) {
    loops++;
    Target target = target(false);
    expectName("in");
    Expr iterable = tuple(false, false);
    Frame inner = newFrame();
    names(target).forEach(inner::mention);
    inner.mention("loop");
    Expr condition = skipName("if") ? within(inner, this::expression) : null;
    boolean recursive = skipName("recursive");
    breakable++;
    Block body = new Block(inner, within(inner, () -> block("for", "endfor", "else")));
    breakable--;
    Frame elseFrame = newFrame();
    Block otherwise =
        next().isName("else")
            ? lastBlock(elseFrame, "for", "endfor")
            : new Block(elseFrame, List.of());
    loops--;
    return new For(target, iterable, condition, recursive, body, otherwise, line);
  }

  private Stmt set(int line) {
    Target target = target(true);
    if (skipOperator("=")) {
      Expr value = tuple(true, false);
      names(target).forEach(frame::assign);
      return new Node.Set(target, value, line);
    }
    names(target).forEach(frame::assign);
    Frame inner = newFrame();
    Filter filter = current().isOperator("|") ? within(inner, () -> filters(null)) : null;
    return new Node.SetBlock(target, filter, lastBlock(inner, "set", "endset"), line);
  }

  private static List<String> names(Target target) {
    return switch (target) {
      case NameTarget name -> List.of(name.name());
      case AttributeTarget attribute -> List.of();
      case TupleTarget tuple -> tuple.items().stream().flatMap(t -> names(t).stream()).toList();
    };
  }

  /** A name or several, with commas between; {@code attributes} allows those of a namespace. */
  private Target target(boolean attributes) {
    List<Target> items = new ArrayList<>();
    boolean isTuple = false;
    while (!atTupleEnd()) {
      items.add(targetItem(attributes));
      if (!skipOperator(",")) {
        break;
      }
      isTuple = true;
    }
    if (items.isEmpty()) {
      throw Fault.syntax(line(), "Expected an expression, got '%s'", current().describe());
    }
    return isTuple ? new TupleTarget(items) : items.get(0);
  }

  private Target targetItem(boolean attributes) {
    if (skipOperator("(")) {
      Target target = nested(() -> target(attributes));
      expectOperator(")");
      return target;
    }
    Token name = current();
    if (name.type() != Token.Type.NAME || isLiteral(name.text())) {
      throw Fault.syntax(name.line(), "can't assign to '%s'", kind(primary()));
    }
    next();
    if (attributes && skipOperator(".")) {
      frame.mention(name.text());
      return new AttributeTarget(name.text(), expect(Token.Type.NAME).text());
    }
    return new NameTarget(declared(name));
  }

  private static boolean isLiteral(String name) {
    return Set.of("true", "false", "none", "True", "False", "None").contains(name);
  }

  private static String kind(Expr primary) {
    return switch (primary) {
      case Node.ListOf l -> "list";
      case Node.DictOf d -> "dict";
      default -> "const";
    };
  }

  private String declared(Token name) {
    if (loops > 0 && name.text().equals("loop")) {
      throw new Fault(
              "TemplateAssertionError", "Can't assign to special loop variable in for-loop target")
          .at(name.line());
    }
    return shadowed(name.text());
  }

  private String shadowed(String name) {
    macros.forEach(macro -> macro.undeclared.remove(name));
    return name;
  }

  private List<Stmt> print(int line) {
    List<Stmt> prints = new ArrayList<>();
    while (current().type() != Token.Type.BLOCK_END) {
      if (!prints.isEmpty()) {
        expectOperator(",");
      }
      prints.add(new Print(expression(), line));
    }
    return prints;
  }

  private MacroDef macro(int line) {
    String name = declared(expect(Token.Type.NAME));
    frame.assign(name);
    Frame inner = newFrame();
    List<String> parameters = new ArrayList<>();
    List<Expr> defaults = within(inner, () -> signature(parameters));
    return macroBody(name, parameters, defaults, line, inner, "macro");
  }

  /** Reads the parameters into {@code parameters}; returns the defaults of the last ones. */
  private List<Expr> signature(List<String> parameters) {
    List<Expr> defaults = new ArrayList<>();
    expectOperator("(");
    while (!current().isOperator(")")) {
      if (!parameters.isEmpty()) {
        expectOperator(",");
      }
      parameters.add(shadowed(expect(Token.Type.NAME).text()));
      frame.mention(parameters.getLast());
      if (skipOperator("=")) {
        defaults.add(expression());
      } else if (!defaults.isEmpty()) {
        throw Fault.syntax(line(), "non-default argument follows default argument");
      }
    }
    expectOperator(")");
    return defaults;
  }

  private MacroDef macroBody(
      @Nullable String name,
      List<String> parameters,
      List<Expr> defaults,
      int line,
      Frame inner,
      String tag) {
    int outerBreakable = breakable;
    breakable = 0;
    MacroNames names = new MacroNames();
    macros.add(names);
    List.of("caller", "kwargs", "varargs").forEach(inner::mention);
    Block body = lastBlock(inner, tag, "end" + tag);
    macros.removeLast();
    breakable = outerBreakable;
    int caller = parameters.indexOf("caller");
    boolean usesCaller = names.read.contains("caller");
    if (usesCaller && caller >= 0 && caller < parameters.size() - defaults.size()) {
      throw new Fault(
              "TemplateAssertionError",
              "When defining macros or call blocks the special \"caller\" argument must be omitted"
                  + " or be given a default.")
          .at(line);
    }
    return new MacroDef(
        name,
        parameters,
        defaults,
        usesCaller,
        names.read.contains("kwargs") && !parameters.contains("kwargs"),
        names.read.contains("varargs") && !parameters.contains("varargs"),
        body,
        line);
  }

  private Stmt callBlock(int line) {
    Frame inner = newFrame();
    List<String> parameters = new ArrayList<>();
    boolean hasSignature = current().isOperator("(");
    List<Expr> defaults = hasSignature ? within(inner, () -> signature(parameters)) : List.of();
    if (!(expression() instanceof Call call)) {
      throw Fault.syntax(line, "expected call");
    }
    MacroDef caller = macroBody(null, parameters, defaults, line, inner, "call");
    return new CallBlock(call, caller, line);
  }

  private Stmt filterBlock(int line) {
    Frame inner = newFrame();
    Filter filter = within(inner, this::filterChain);
    return new FilterBlock(filter, lastBlock(inner, "filter", "endfilter"), line);
  }

  private Filter filterChain() {
    Filter filter = filter(null);
    while (skipOperator("|")) {
      filter = filter(filter);
    }
    return filter;
  }

  private Stmt with(int line) {
    Frame inner = newFrame();
    List<Target> targets = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (current().type() != Token.Type.BLOCK_END) {
      if (!targets.isEmpty()) {
        expectOperator(",");
      }
      Target target = target(false);
      targets.add(target);
      names(target).forEach(inner::mention);
      expectOperator("=");
      values.add(expression());
    }
    return new With(targets, values, lastBlock(inner, "with", "endwith"), line);
  }

  /** Chat templates are not escaped; only {@code false} says what happens anyway. */
  private Stmt autoescape(int line) {
    if (!(expression() instanceof Node.Literal literal && !Ops.truth(literal.value()))) {
      throw new Fault("UnsupportedError", "autoescape is available only as 'autoescape false'")
          .at(line);
    }
    Block body = lastBlock(newFrame(), "autoescape", "endautoescape");
    return new With(List.of(), List.of(), body, line);
  }

  /** Marks what the assistant said, for training; a block of its own, otherwise of no effect. */
  private Stmt generation(int line) {
    int outerBreakable = breakable;
    breakable = 0;
    Block body = lastBlock(newFrame(), "generation", "endgeneration");
    breakable = outerBreakable;
    return new With(List.of(), List.of(), body, line);
  }
}
