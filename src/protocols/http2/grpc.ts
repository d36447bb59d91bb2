import { GRPC_STATUS_NAMES } from '../grpc-status-names.js'
import type { HeaderFields } from './header-fields.js'

/** What the conventions for gRPC count as errors of the server, too. */
const SERVER_ERRORS = new Set(['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'])

const METHOD = /^\/([\w.$-]{1,200}\/[\w.$-]{1,120})$/
const CONTENT_TYPE = /^application\/grpc(?:$|[+;])/i

/** Whether a request is a gRPC call: by its content type, or where that is not known by a header of gRPC's own. */
export function isGrpc(fields: HeaderFields): boolean {
  const type = fields.get('content-type')
  return type === undefined ? fields.grpc : CONTENT_TYPE.test(type)
}

/** `package.Service/Method`; undefined if the path is none. */
export const grpcMethod = (path: string): string | undefined => METHOD.exec(path)?.[1]

/** The name of a `grpc-status`; its number where it has no name; undefined where it is none. */
export function grpcStatusName(status: string): string | undefined {
  return /^\d{1,3}$/.test(status) ? (GRPC_STATUS_NAMES[Number(status)] ?? String(Number(status))) : undefined
}

export const isGrpcServerError = (status: string): boolean => SERVER_ERRORS.has(status)
