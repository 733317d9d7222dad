/** A row of a table as Log Analytics has it. */
export type KustoRow = Readonly<Record<string, unknown>>

/** A query of an alert rule, as the runbook writes it. */
export interface AlertRule {
  readonly signal: string
  readonly source: "log" | "metric"
  /** It fires when there is no row. */
  readonly firesOnNone: boolean
  readonly query: string
}

/** The rules in fenced `kusto` blocks; the first comment of each names its signal. */
export function readAlertRules(page: string): AlertRule[] {
  return [
    ...page.matchAll(
      /^```kusto\n\/\/ ([^,\n]+), (log|metric)(: fires on no row within \d+ min)?\n(.*?)\n```$/gms,
    ),
  ].map(([, signal = "", source = "log", none, query = ""]) => ({
    signal,
    source: source as AlertRule["source"],
    firesOnNone: none !== undefined,
    query,
  }))
}

/**
 * The rows that a query gives, for the few operators that the rules use.
 *
 * @throws Error for any other, so that no rule is taken for tested that was not understood.
 */
export function runKusto(
  query: string,
  tables: Readonly<Record<string, readonly KustoRow[]>>,
  now: Date,
): readonly KustoRow[] {
  const [table = "", ...operators] = query.split("\n").filter((line) => !line.startsWith("//"))
  const rows = tables[table]
  if (!rows) throw new Error(`There is no table ${table}`)
  return operators.reduce<readonly KustoRow[]>((left, operator) => apply(operator, left, now), rows)
}

function apply(operator: string, rows: readonly KustoRow[], now: Date): readonly KustoRow[] {
  if (operator === "| extend signal = parse_json(Message)") {
    return rows.map((row) => ({ ...row, signal: JSON.parse(String(row["Message"])) as unknown }))
  }
  const [, condition] = /^\| where (.+)$/.exec(operator) ?? []
  if (condition === undefined) throw new Error(`Not understood: ${operator}`)
  return rows.filter((row) => holds(condition, row, now))
}

function holds(condition: string, row: KustoRow, now: Date): boolean {
  const [, left = "", comparison = "", right = ""] =
    /^(\S+) (has_any|has|in|==|!=|>|<) (.+)$/.exec(condition) ?? []
  const value = valueOf(left, row)
  const texts = [...right.matchAll(/"([^"]*)"/g)].map(([, text = ""]) => text)
  switch (comparison) {
    case "has":
    case "has_any":
      return texts.some((text) =>
        new RegExp(`(?<!\\w)${text.replaceAll(".", "\\.")}(?!\\w)`, "i").test(String(value)),
      )
    case "in":
    case "==":
      return texts.includes(String(value))
    case "!=":
      return !texts.includes(String(value))
    case ">":
      return Number(value) > Number(right)
    case "<":
      if (right !== "ago(1h)") break
      return value instanceof Date && value.getTime() < now.getTime() - 3_600_000
  }
  throw new Error(`Not understood: ${condition}`)
}

function valueOf(expression: string, row: KustoRow): unknown {
  const [, type, field = ""] = /^(toint|tostring|todatetime)\((.+)\)$/.exec(expression) ?? []
  if (type === undefined) {
    if (!(expression in row)) throw new Error(`There is no column ${expression}`)
    return row[expression]
  }
  const [, member] = /^signal\.(\w+)$/.exec(field) ?? []
  const [, property] = /^Properties\["([\w.]+)"\]$/.exec(field) ?? []
  const key = member ?? property
  if (key === undefined) throw new Error(`Not understood: ${expression}`)
  const value = (row[member === undefined ? "Properties" : "signal"] as KustoRow)[key]
  if (type === "todatetime") return typeof value === "string" ? new Date(value) : undefined
  return type === "toint" ? Math.trunc(Number(value ?? Number.NaN)) : String(value ?? "")
}
