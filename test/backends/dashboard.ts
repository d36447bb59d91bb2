import { readFileSync } from 'node:fs'

/** Grafana's dashboard as far as the checks look at it. */
export interface Dashboard {
  readonly panels: readonly {
    readonly id: number
    readonly title: string
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
    readonly datasource: { readonly uid: string; readonly type: string }
    readonly targets: readonly { readonly rawSql?: string; readonly datasource: { readonly uid: string } }[]
  }[]
  readonly templating: {
    readonly list: readonly {
      readonly name: string
      readonly type: string
      readonly query: string
      readonly datasource?: { readonly uid: string }
    }[]
  }
}

export const readDashboard = (path: string): Dashboard => JSON.parse(readFileSync(path, 'utf8')) as Dashboard

/** Every statement that the dashboard sends to ClickHouse, by the panel or variable that asks it. */
export function statements({ panels, templating }: Dashboard): Map<string, string> {
  const all = new Map<string, string>()
  for (const { title, targets } of panels) {
    for (const { rawSql } of targets) if (rawSql !== undefined) all.set(title, rawSql)
  }
  for (const { name, query, datasource } of templating.list) {
    if (datasource !== undefined) all.set(`variable ${name}`, query)
  }
  return all
}

export interface DashboardValues {
  readonly database: string
  readonly services: readonly string[]
  readonly trace: string
  /** Seconds since 1970. */
  readonly from: number
  readonly to: number
}

/** A statement as Grafana and its ClickHouse data source send it: variables and macros replaced. */
export function expand(sql: string, { database, services, trace, from, to }: DashboardValues): string {
  const time = (seconds: number): string => `toDateTime(${seconds})`
  return sql
    .replace(/\$\{database\}/g, database)
    .replace(/\$\{service:singlequote\}/g, services.map(service => `'${service}'`).join(','))
    .replace(/\$\{trace\}/g, trace)
    .replace(/\$__timeFilter\((\w+)\)/g, (_, column) => `${column} >= ${time(from)} AND ${column} <= ${time(to)}`)
    .replace(
      /\$__timeInterval\((\w+)\)/g,
      (_, column) => `toStartOfInterval(toDateTime(${column}), INTERVAL 20 second)`,
    )
    .replaceAll('$__interval_s', '20')
    .replaceAll('$__fromTime', time(from))
    .replaceAll('$__toTime', time(to))
}
