import { z } from 'zod'
import { distribution } from './distribution-schema.js'
import { attributeLimits, resource, tracerProvider } from './export-schema.js'

/** Version of OpenTelemetry's declarative configuration that this schema follows. */
export const FILE_FORMAT = '1.1'
/** Version of the part under `distribution.ghostspan`. */
export const DISTRIBUTION_VERSION = '1.0'

/**
 * All settings, in the shape of OpenTelemetry's declarative configuration. One source for validation, types, JSON
 * Schema, environment variables, the annotated default file and the reference page.
 */
export const settingsSchema = z.strictObject({
  file_format: z
    .string({ error: `must be a quoted text: "${FILE_FORMAT}"` })
    .describe(
      `Version of the file's form: "${FILE_FORMAT}". A newer 1.x is read with a warning, anything else refused.`,
    ),
  disabled: z
    .boolean({ error: 'must be true or false' })
    .default(false)
    .describe('True: nothing is exported over OTLP.'),
  resource: resource.describe('What is added to the resource of every observed service.').optional(),
  attribute_limits: attributeLimits.prefault({}).describe('Limits of span attributes.'),
  tracer_provider: tracerProvider
    .describe('Where spans go. Without it: OTLP over gRPC to localhost:4317, if something listens there.')
    .optional(),
  distribution: z.strictObject({ ghostspan: distribution }).prefault({}).describe('Settings of distributions.'),
})

export type SettingsDocument = z.output<typeof settingsSchema>
export type ExporterDocument = NonNullable<SettingsDocument['tracer_provider']>['processors'][number]['batch']

/** The schema as JSON Schema (draft 2020-12), of what may be written in a file. */
export function settingsJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(settingsSchema, { io: 'input' }) as Record<string, unknown>
}
