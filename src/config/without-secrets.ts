import type { Settings } from './settings.js'

const HIDDEN = '[hidden]'

/** The settings as they may be shown: passwords and the values of headers are hidden, also inside URLs. */
export function withoutSecrets(settings: Settings): Settings {
  const { clickhouse } = settings.archive
  return {
    ...settings,
    export: {
      ...settings.export,
      exporters: settings.export.exporters.map(exporter =>
        exporter.kind === 'otlp'
          ? {
              ...exporter,
              endpoint: urlWithoutPassword(exporter.endpoint),
              headers: Object.fromEntries(Object.keys(exporter.headers).map(name => [name, HIDDEN])),
            }
          : exporter,
      ),
    },
    archive: {
      ...settings.archive,
      clickhouse:
        clickhouse === undefined
          ? undefined
          : {
              ...clickhouse,
              url: urlWithoutPassword(clickhouse.url),
              password: clickhouse.password === '' ? '' : HIDDEN,
            },
    },
  }
}

export function urlWithoutPassword(text: string): string {
  return text.replace(/^([a-z]+:\/\/)[^/@]*@/i, '$1')
}
