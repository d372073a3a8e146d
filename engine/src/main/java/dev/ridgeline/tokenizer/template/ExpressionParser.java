package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Node.Arguments;
import dev.ridgeline.tokenizer.template.Node.Binary;
import dev.ridgeline.tokenizer.template.Node.Call;
import dev.ridgeline.tokenizer.template.Node.Compare;
import dev.ridgeline.tokenizer.template.Node.Concat;
import dev.ridgeline.tokenizer.template.Node.Conditional;
import dev.ridgeline.tokenizer.template.Node.DictOf;
import dev.ridgeline.tokenizer.template.Node.Expr;
import dev.ridgeline.tokenizer.template.Node.Filter;
import dev.ridgeline.tokenizer.template.Node.Item;
import dev.ridgeline.tokenizer.template.Node.ListOf;
import dev.ridgeline.tokenizer.template.Node.Literal;
import dev.ridgeline.tokenizer.template.Node.Logical;
import dev.ridgeline.tokenizer.template.Node.Member;
import dev.ridgeline.tokenizer.template.Node.Name;
import dev.ridgeline.tokenizer.template.Node.Not;
import dev.ridgeline.tokenizer.template.Node.Sign;
import dev.ridgeline.tokenizer.template.Node.Slice;
import dev.ridgeline.tokenizer.template.Node.Test;
import dev.ridgeline.tokenizer.template.Node.TupleOf;
import dev.ridgeline.tokenizer.template.Values.None;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Parses expressions by recursive descent, loosest operator first, in the order Jinja binds them.
 */
class ExpressionParser {
  private static final int MAX_NESTING = 100;
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  /** The block that the current token belongs to. */
  Frame frame = new Frame(null);

  /** Which of {@code caller}, {@code kwargs}, {@code varargs} the macro being parsed reads. */
  static final class MacroNames {
    final Set<String> undeclared = new HashSet<>(Set.of("caller", "kwargs", "varargs"));
    final Set<String> read = new HashSet<>();
  }

  /** The macros around the current token, innermost last. */
  final List<MacroNames> macros = new ArrayList<>();

  private final Lexer.Result source;
  private int position;
  private int nesting;

  ExpressionParser(Lexer.Result source) {
    this.source = source;
    token(0);
  }

  /** A lexical error counts when the parser comes to it: what is wrong before it is told first. */
  private Token token(int index) {
    Token token = source.tokens().get(Math.min(index, source.tokens().size() - 1));
    if (token.type() == Token.Type.EOF && source.fault() != null) {
      throw source.fault();
    }
    return token;
  }

  final Token current() {
    return source.tokens().get(position);
  }

  private Token lookAhead() {
    return token(position + 1);
  }

  final int line() {
    return current().line();
  }

  final Token next() {
    Token token = current();
    token(position + 1);
    position += token.type() == Token.Type.EOF ? 0 : 1;
    return token;
  }

  final boolean skipName(String name) {
    boolean found = current().isName(name);
    if (found) {
      next();
    }
    return found;
  }

  final boolean skipOperator(String operator) {
    boolean found = current().isOperator(operator);
    if (found) {
      next();
    }
    return found;
  }

  final Token expect(Token.Type type) {
    return expect(current().type() == type, type.description);
  }

  final void expectName(String name) {
    expect(current().isName(name), name);
  }

  final void expectOperator(String operator) {
    expect(current().isOperator(operator), operator);
  }

  private Token expect(boolean found, String expected) {
    if (!found) {
      throw current().type() == Token.Type.EOF
          ? Fault.syntax(line(), "unexpected end of template, expected '%s'.", expected)
          : Fault.syntax(line(), "expected token '%s', got '%s'", expected, current().describe());
    }
    return next();
  }

  /** Guards the recursion of parsing, and so the depth of the tree. */
  final <T> T nested(Supplier<T> parse) {
    if (++nesting > MAX_NESTING) {
      throw Fault.syntax(line(), "nested more than %d deep", MAX_NESTING);
    }
    T result = parse.get();
    nesting--;
    return result;
  }

  final Expr expression() {
    return nested(this::conditional);
  }

  private Expr conditional() {
    int line = line();
    int unknownBefore = frame.unknownSoFar();
    Expr result = or();
    while (skipName("if")) {
      Expr test = or();
      Expr otherwise = skipName("else") ? expression() : null;
      result = new Conditional(test, result, otherwise, line);
      frame.forgive(unknownBefore);
      line = line();
    }
    return result;
  }

  final Expr or() {
    Expr left = and();
    while (current().isName("or")) {
      int line = next().line();
      left = new Logical(false, left, and(), line);
    }
    return left;
  }

  private Expr and() {
    Expr left = not();
    while (current().isName("and")) {
      int line = next().line();
      left = new Logical(true, left, not(), line);
    }
    return left;
  }

  private Expr not() {
    if (current().isName("not")) {
      int line = next().line();
      return new Not(nested(this::not), line);
    }
    return compare();
  }

  private Expr compare() {
    Expr first = sum();
    List<String> operators = new ArrayList<>();
    List<Expr> others = new ArrayList<>();
    for (String operator; (operator = comparison()) != null; ) {
      operators.add(operator);
      others.add(sum());
    }
    return operators.isEmpty() ? first : new Compare(first, operators, others, line());
  }

  private @Nullable String comparison() {
    if (current().type() == Token.Type.OPERATOR && COMPARISONS.contains(current().text())) {
      return next().text();
    }
    if (skipName("in")) {
      return "in";
    }
    if (current().isName("not") && lookAhead().isName("in")) {
      next();
      next();
      return "not in";
    }
    return null;
  }

  private Expr sum() {
    return leftToRight(this::concat, Set.of("+", "-"));
  }

  private Expr concat() {
    int line = line();
    List<Expr> parts = new ArrayList<>(List.of(product()));
    while (skipOperator("~")) {
      parts.add(product());
    }
    return parts.size() == 1 ? parts.get(0) : new Concat(parts, line);
  }

  private Expr product() {
    return leftToRight(this::power, Set.of("*", "/", "//", "%"));
  }

  private Expr power() {
    return leftToRight(() -> unary(true), Set.of("**"));
  }

  private Expr leftToRight(Supplier<Expr> operand, Set<String> operators) {
    int line = line();
    Expr left = operand.get();
    while (current().type() == Token.Type.OPERATOR && operators.contains(current().text())) {
      String operator = next().text();
      left = new Binary(operator, left, operand.get(), line);
    }
    return left;
  }

  private Expr unary(boolean withFilters) {
    int line = line();
    Expr expr;
    if (current().isOperator("-") || current().isOperator("+")) {
      boolean negative = next().text().equals("-");
      expr = new Sign(negative, nested(() -> unary(false)), line);
    } else {
      expr = primary();
    }
    expr = postfix(expr);
    return withFilters ? filtersAndTests(expr) : expr;
  }

  final Expr primary() {
    Token token = current();
    return switch (token.type()) {
      case NAME -> name(next());
      case STRING -> string();
      case INTEGER -> integer(next());
      case FLOAT -> new Literal(Double.valueOf(next().text()), token.line());
      case OPERATOR ->
          switch (token.text()) {
            case "(" -> nested(this::parenthesized);
            case "[" -> nested(this::list);
            case "{" -> nested(this::dict);
            default -> throw unexpected(token);
          };
      default -> throw unexpected(token);
    };
  }

  private static Fault unexpected(Token token) {
    return Fault.syntax(token.line(), "unexpected '%s'", token.describe());
  }

  private Expr name(Token token) {
    return switch (token.text()) {
      case "true", "True" -> new Literal(true, token.line());
      case "false", "False" -> new Literal(false, token.line());
      case "none", "None" -> new Literal(None.NONE, token.line());
      default -> {
        frame.mention(token.text());
        macros.stream()
            .filter(macro -> macro.undeclared.contains(token.text()))
            .forEach(macro -> macro.read.add(token.text()));
        yield new Name(token.text(), token.line());
      }
    };
  }

  private Expr string() {
    int line = line();
    StringBuilder text = new StringBuilder();
    while (current().type() == Token.Type.STRING) {
      text.append(next().text());
    }
    return new Literal(text.toString(), line);
  }

  private static Expr integer(Token token) {
    try {
      Long value = Conversions.parseInteger(token.text(), 0);
      return new Literal(value == null ? 0L : value, token.line());
    } catch (Fault overflow) {
      throw overflow.at(token.line());
    }
  }

  private Expr parenthesized() {
    next();
    Expr expr = tuple(true, true);
    expectOperator(")");
    return expr;
  }

  /** One expression, or several with commas between: a tuple. */
  final Expr tuple(boolean conditionals, boolean mayBeEmpty) {
    int line = line();
    List<Expr> items = new ArrayList<>();
    boolean isTuple = false;
    while (!atTupleEnd()) {
      items.add(conditionals ? expression() : nested(this::or));
      if (!skipOperator(",")) {
        break;
      }
      isTuple = true;
    }
    if (!isTuple && items.size() == 1) {
      return items.get(0);
    }
    if (items.isEmpty() && !mayBeEmpty) {
      throw Fault.syntax(line(), "Expected an expression, got '%s'", current().describe());
    }
    return new TupleOf(items, line);
  }

  final boolean atTupleEnd() {
    return switch (current().type()) {
      case VARIABLE_END, BLOCK_END -> true;
      default -> current().isOperator(")");
    };
  }

  private Expr list() {
    int line = next().line();
    List<Expr> items = new ArrayList<>();
    while (!current().isOperator("]")) {
      if (!items.isEmpty()) {
        expectOperator(",");
        if (current().isOperator("]")) {
          break;
        }
      }
      items.add(expression());
    }
    expectOperator("]");
    return new ListOf(items, line);
  }

  private Expr dict() {
    int line = next().line();
    List<Expr> keys = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (!current().isOperator("}")) {
      if (!keys.isEmpty()) {
        expectOperator(",");
        if (current().isOperator("}")) {
          break;
        }
      }
      keys.add(expression());
      expectOperator(":");
      values.add(expression());
    }
    expectOperator("}");
    return new DictOf(keys, values, line);
  }

  private Expr postfix(Expr operand) {
    Expr expr = operand;
    while (current().type() == Token.Type.OPERATOR) {
      switch (current().text()) {
        case "." -> expr = dotted(expr);
        case "[" -> expr = subscript(expr);
        case "(" -> expr = call(expr);
        default -> {
          return expr;
        }
      }
    }
    return expr;
  }

  private Expr filtersAndTests(Expr operand) {
    Expr expr = operand;
    while (true) {
      if (current().isOperator("|")) {
        expr = filters(expr);
      } else if (current().isName("is")) {
        expr = test(expr);
      } else if (current().isOperator("(")) {
        expr = call(expr);
      } else {
        return expr;
      }
    }
  }

  private Expr dotted(Expr object) {
    int line = next().line();
    Token name = next();
    return switch (name.type()) {
      case NAME -> new Member(object, name.text(), line);
      case INTEGER -> new Item(object, integer(name), line);
      default -> throw Fault.syntax(name.line(), "expected name or number");
    };
  }

  private Expr subscript(Expr object) {
    int line = next().line();
    List<Expr> keys = new ArrayList<>();
    while (!current().isOperator("]")) {
      if (!keys.isEmpty()) {
        expectOperator(",");
      }
      Expr start = current().isOperator(":") ? null : expression();
      if (keys.isEmpty() && skipOperator(":")) {
        return slice(object, start, line);
      }
      if (start == null) {
        throw unexpected(current());
      }
      keys.add(start);
    }
    expectOperator("]");
    return new Item(object, keys.size() == 1 ? keys.get(0) : new TupleOf(keys, line), line);
  }

  /** What follows the first colon. */
  private Expr slice(Expr object, @Nullable Expr start, int line) {
    boolean hasStop = !current().isOperator(":") && !current().isOperator("]");
    Expr stop = hasStop ? expression() : null;
    Expr step = skipOperator(":") && !current().isOperator("]") ? expression() : null;
    expectOperator("]");
    return new Slice(object, start, stop, step, line);
  }

  final Call call(Expr callee) {
    int line = line();
    return new Call(callee, arguments(), line);
  }

  private Arguments arguments() {
    int line = line();
    expectOperator("(");
    List<Expr> positional = new ArrayList<>();
    List<String> names = new ArrayList<>();
    List<Expr> named = new ArrayList<>();
    Expr spread = null;
    Expr spreadNamed = null;
    for (boolean first = true; !current().isOperator(")"); first = false) {
      if (!first) {
        expectOperator(",");
        if (current().isOperator(")")) {
          break;
        }
      }
      boolean valid = spreadNamed == null;
      if (skipOperator("*")) {
        valid &= spread == null;
        spread = expression();
      } else if (skipOperator("**")) {
        spreadNamed = expression();
      } else if (current().type() == Token.Type.NAME && lookAhead().isOperator("=")) {
        names.add(next().text());
        next();
        named.add(expression());
      } else {
        valid &= spread == null && names.isEmpty();
        positional.add(expression());
      }
      if (!valid) {
        throw Fault.syntax(line, "invalid syntax for function call expression");
      }
    }
    expectOperator(")");
    return new Arguments(positional, names, named, spread, spreadNamed);
  }

  /** {@code | name(arguments)}, any number of times. */
  final Filter filters(@Nullable Expr operand) {
    expectOperator("|");
    Filter filter = filter(operand);
    while (skipOperator("|")) {
      filter = filter(filter);
    }
    return filter;
  }

  final Filter filter(@Nullable Expr operand) {
    int line = line();
    String name = dottedName();
    if (!Filters.exists(name)) {
      frame.unknown(unknown("filter", name, line));
    }
    Arguments arguments = current().isOperator("(") ? arguments() : Arguments.NONE;
    return new Filter(operand, name, arguments, line);
  }

  private static Fault unknown(String kind, String name, int line) {
    return new Fault("TemplateAssertionError", "No %s named %s.".formatted(kind, Repr.quote(name)))
        .at(line);
  }

  private String dottedName() {
    StringBuilder name = new StringBuilder(expect(Token.Type.NAME).text());
    while (skipOperator(".")) {
      name.append('.').append(expect(Token.Type.NAME).text());
    }
    return name.toString();
  }

  private Expr test(Expr operand) {
    int line = next().line();
    boolean negated = skipName("not");
    String name = dottedName();
    if (!Tests.exists(name)) {
      frame.unknown(unknown("test", name, line));
    }
    Arguments arguments = Arguments.NONE;
    if (current().isOperator("(")) {
      arguments = arguments();
    } else if (startsTestArgument()) {
      if (current().isName("is")) {
        throw Fault.syntax(line(), "You cannot chain multiple tests with is");
      }
      Expr argument = postfix(primary());
      arguments = new Arguments(List.of(argument), List.of(), List.of(), null, null);
    }
    Expr test = new Test(operand, name, arguments, line);
    return negated ? new Not(test, line) : test;
  }

  private boolean startsTestArgument() {
    Token token = current();
    return switch (token.type()) {
      case NAME -> !Set.of("else", "or", "and").contains(token.text());
      case STRING, INTEGER, FLOAT -> true;
      default -> token.isOperator("[") || token.isOperator("{");
    };
  }
}
