package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Node.AttributeTarget;
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
import dev.ridgeline.tokenizer.template.Token.Type;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Parses the statements of a template. */
final class Parser extends ExpressionParser {
  /** An open block: its tag, and the tags that may end or continue it. */
  private record Open(String tag, String... ends) {}

  private final Deque<Open> open = new ArrayDeque<>();
  private int loops; // around the current token: {% for %} of any kind
  private int breakable; // ... that a break may leave: none beyond the innermost macro

  private Parser(List<Token> tokens) {
    super(tokens);
  }

  static List<Stmt> parse(String source) {
    return new Parser(Lexer.tokenize(source)).template();
  }

  private List<Stmt> template() {
    List<Stmt> body = new ArrayList<>();
    statements(body);
    return body;
  }

  /** Until the end of the template, or the name of a tag that ends the innermost open block. */
  private void statements(List<Stmt> body) {
    while (current().type() != Type.EOF) {
      Token token = next();
      switch (token.type()) {
        case DATA -> body.add(new Data(token.text(), token.line()));
        case VARIABLE_BEGIN -> {
          body.add(new Print(tuple(true, false), token.line()));
          expect(Type.VARIABLE_END);
        }
        default -> {
          if (atEndTag()) {
            return;
          }
          body.addAll(nested(this::statement));
          expect(Type.BLOCK_END);
        }
      }
    }
  }

  private boolean atEndTag() {
    return !open.isEmpty()
        && current().type() == Type.NAME
        && Arrays.asList(open.element().ends()).contains(current().text());
  }

  /** The statements after the current tag, up to one of {@code ends}, which stays current. */
  private List<Stmt> block(String tag, String... ends) {
    skipOperator(":"); // Jinja allows Python's colon
    expect(Type.BLOCK_END);
    open.push(new Open(tag, ends));
    List<Stmt> body = new ArrayList<>();
    statements(body);
    if (current().type() == Type.EOF) {
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
    if (current().type() != Type.NAME) {
      throw Fault.syntax(line(), "tag name expected");
    }
    Token tag = next();
    int line = tag.line();
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
      case "block", "extends", "include", "import", "from" ->
          throw new Fault(
                  "UnsupportedError",
                  "'%s' is not available: a chat template stands alone".formatted(tag.text()))
              .at(line);
      default ->
          throw Fault.syntax(
              line, "Encountered unknown tag '%s'.%s", tag.text(), expectation(tag.text()));
    };
  }

  private int inLoop(Token tag) {
    if (breakable == 0) {
      throw Fault.syntax(tag.line(), "'%s' outside loop", tag.text());
    }
    return tag.line();
  }

  private Stmt ifStatement(int line) {
    List<Expr> tests = new ArrayList<>();
    List<List<Stmt>> bodies = new ArrayList<>();
    List<Stmt> otherwise = List.of();
    String tag;
    do {
      tests.add(tuple(false, false));
      bodies.add(block("if", "elif", "else", "endif"));
      tag = next().text();
    } while (tag.equals("elif"));
    if (tag.equals("else")) {
      otherwise = lastBlock("if", "endif");
    }
    return new If(tests, bodies, otherwise, line);
  }

  private Stmt forStatement(int line) {
    loops++;
    Target target = target(false);
    expectName("in");
    Expr iterable = tuple(false, false, "recursive");
    Expr condition = skipName("if") ? expression() : null;
    boolean recursive = skipName("recursive");
    breakable++;
    List<Stmt> body = block("for", "endfor", "else");
    breakable--;
    boolean hasElse = next().isName("else");
    List<Stmt> otherwise = hasElse ? lastBlock("for", "endfor") : List.of();
    loops--;
    return new For(target, iterable, condition, recursive, body, otherwise, line);
  }

  private Stmt set(int line) {
    Target target = target(true);
    if (skipOperator("=")) {
      return new Node.Set(target, tuple(true, false), line);
    }
    Filter filter = current().isOperator("|") ? filters(null) : null;
    return new Node.SetBlock(target, filter, lastBlock("set", "endset"), line);
  }

  /** A name or several, with commas between; {@code attributes} allows those of a namespace. */
  private Target target(boolean attributes) {
    List<Target> items = new ArrayList<>();
    boolean isTuple = false;
    while (!atTargetEnd()) {
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

  private boolean atTargetEnd() {
    return current().type() == Type.BLOCK_END
        || current().isName("in")
        || current().isOperator("=")
        || current().isOperator(")");
  }

  private Target targetItem(boolean attributes) {
    if (skipOperator("(")) {
      Target target = nested(() -> target(attributes));
      expectOperator(")");
      return target;
    }
    Token name = current();
    Expr primary = primary();
    if (!(primary instanceof Node.Name)) {
      throw Fault.syntax(name.line(), "can't assign to '%s'", kind(primary));
    }
    if (attributes && skipOperator(".")) {
      return new AttributeTarget(name.text(), expect(Type.NAME).text());
    }
    return new NameTarget(declared(name));
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
    macros.forEach(macro -> macro.undeclared.remove(name.text()));
    return name.text();
  }

  private List<Stmt> print(int line) {
    List<Stmt> prints = new ArrayList<>();
    while (current().type() != Type.BLOCK_END) {
      if (!prints.isEmpty()) {
        expectOperator(",");
      }
      prints.add(new Print(expression(), line));
    }
    return prints;
  }

  private MacroDef macro(int line) {
    String name = declared(expect(Type.NAME));
    List<String> parameters = new ArrayList<>();
    List<Expr> defaults = new ArrayList<>();
    signature(parameters, defaults);
    return macroBody(name, parameters, defaults, line, () -> lastBlock("macro", "endmacro"));
  }

  private void signature(List<String> parameters, List<Expr> defaults) {
    expectOperator("(");
    while (!current().isOperator(")")) {
      if (!parameters.isEmpty()) {
        expectOperator(",");
      }
      parameters.add(expect(Type.NAME).text());
      if (skipOperator("=")) {
        defaults.add(expression());
      } else if (!defaults.isEmpty()) {
        throw Fault.syntax(line(), "non-default argument follows default argument");
      }
    }
    expectOperator(")");
  }

  private MacroDef macroBody(
      @Nullable String name,
      List<String> parameters,
      List<Expr> defaults,
      int line,
      Supplier<List<Stmt>> parseBody) {
    int outerBreakable = breakable;
    breakable = 0;
    MacroNames names = new MacroNames();
    macros.add(names);
    List<Stmt> body = parseBody.get();
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
    List<String> parameters = new ArrayList<>();
    List<Expr> defaults = new ArrayList<>();
    if (current().isOperator("(")) {
      signature(parameters, defaults);
    }
    if (!(expression() instanceof Call call)) {
      throw Fault.syntax(line, "expected call");
    }
    MacroDef caller =
        macroBody(null, parameters, defaults, line, () -> lastBlock("call", "endcall"));
    return new CallBlock(call, caller, line);
  }

  private Stmt filterBlock(int line) {
    Filter filter = filter(null);
    while (skipOperator("|")) {
      filter = filter(filter);
    }
    return new FilterBlock(filter, lastBlock("filter", "endfilter"), line);
  }

  private Stmt with(int line) {
    List<Target> targets = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (current().type() != Type.BLOCK_END) {
      if (!targets.isEmpty()) {
        expectOperator(",");
      }
      targets.add(target(false));
      expectOperator("=");
      values.add(expression());
    }
    return new With(targets, values, lastBlock("with", "endwith"), line);
  }

  /** Chat templates are not escaped; only {@code false} says what happens anyway. */
  private Stmt autoescape(int line) {
    if (!(expression() instanceof Node.Literal literal && !Ops.truth(literal.value()))) {
      throw new Fault("UnsupportedError", "autoescape is available only as 'autoescape false'")
          .at(line);
    }
    return new With(List.of(), List.of(), lastBlock("autoescape", "endautoescape"), line);
  }

  /** Marks what the assistant said, for training; a block of its own, otherwise of no effect. */
  private Stmt generation(int line) {
    int outerBreakable = breakable;
    breakable = 0;
    List<Stmt> body = lastBlock("generation", "endgeneration");
    breakable = outerBreakable;
    return new With(List.of(), List.of(), body, line);
  }
}
