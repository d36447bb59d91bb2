/** A value of a resource attribute. */
export type ResourceValue = string | number | boolean

export interface OtlpExporterSettings {
  readonly kind: 'otlp'
  readonly protocol: 'grpc' | 'http/protobuf' | 'http/json'
  /** gRPC: `http://host:port` or `host:port`; HTTP: the whole URL, path included. */
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly compression: 'none' | 'gzip'
  /** 0: no limit. */
  readonly timeoutMillis: number
  readonly tls: {
    readonly caFile: string | undefined
    readonly keyFile: string | undefined
    readonly certFile: string | undefined
    /** No TLS, for an endpoint without a scheme. */
    readonly insecure: boolean
  }
  readonly batch: BatchSettings
}

export interface BatchSettings {
  readonly scheduleDelayMillis: number
  readonly exportTimeoutMillis: number
  readonly maxQueueSize: number
  readonly maxBatchSize: number
}

/** Trees on standard output. */
export interface ConsoleExporterSettings {
  readonly kind: 'console'
}

export interface SelectionRule {
  readonly action: 'include' | 'exclude'
  /** All that are given must fit. */
  readonly executable: string | undefined
  readonly commandLine: string | undefined
  readonly port: number | undefined
  /** Name or number. */
  readonly user: string | number | undefined
  readonly cgroup: string | undefined
}

export interface ServiceNameRule {
  readonly name: string
  readonly executable?: string
  readonly commandLine?: string
  readonly port?: number
}

export interface ClickHouseSettings {
  readonly url: string
  readonly user: string
  readonly password: string
  readonly database: string
}

/** All settings as plain, frozen values: the only thing that anything below src/config/ gets to see of them. */
export interface Settings {
  readonly resourceAttributes: Readonly<Record<string, ResourceValue>>
  readonly attributeLimits: { readonly valueLength: number; readonly count: number }
  readonly export: {
    /** listening: only where something listens at the start (no setting said anything). */
    readonly when: 'always' | 'listening'
    readonly exporters: readonly (OtlpExporterSettings | ConsoleExporterSettings)[]
  }
  readonly selection: { readonly default: 'include' | 'exclude'; readonly rules: readonly SelectionRule[] }
  readonly capture: {
    readonly ringBufferBytes: number
    readonly pollIntervalMillis: number
    readonly hooks: 'auto' | 'socket' | 'syscall'
  }
  readonly disabledProtocols: readonly string[]
  readonly serviceRules: readonly ServiceNameRule[]
  readonly correlation: { readonly confidenceFloor: number }
  readonly traces: {
    readonly quietMillis: number
    readonly longestMillis: number
    readonly openLimit: number
    readonly processRoots: { readonly programs: readonly string[]; readonly commandLines: readonly string[] }
  }
  readonly archive: {
    readonly enabled: boolean
    readonly dataDirectory: string
    /** undefined: the embedded engine. */
    readonly clickhouse: ClickHouseSettings | undefined
    /** Where other programs may read the embedded engine; undefined: nowhere. */
    readonly listen: { readonly host: string; readonly port: number } | undefined
    readonly retention: { readonly ageMillis: number; readonly sizeBytes: number }
    readonly spoolBytes: number
  }
  readonly sketches: {
    readonly enabled: boolean
    readonly retentionSeconds: { readonly minutes: number; readonly hours: number; readonly days: number }
  }
  readonly shapes: { readonly store: boolean; readonly thinAfterSeconds: number }
  readonly sampling: {
    readonly enabled: boolean
    readonly share: number
    readonly rules: readonly { readonly service?: string; readonly operation?: string }[]
  }
  readonly health: {
    readonly enabled: boolean
    readonly host: string
    readonly port: number
    readonly required: boolean
  }
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly format: 'text' | 'json' }
  readonly shutdownTimeoutMillis: number
}
