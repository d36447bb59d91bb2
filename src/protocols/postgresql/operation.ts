import { Attribute } from '../attribute-names.js'
import type { Attributes, Exchange } from '../protocol.js'
import type { SqlStatement } from '../sql/statement-reader.js'

/** What a client's messages add up to; names a span where the statement gives no name. */
export type OperationKind =
  | 'QUERY'
  | 'PREPARE'
  | 'EXECUTE'
  | 'FETCH'
  | 'DESCRIBE'
  | 'FUNCTION CALL'
  | 'CANCEL'
  | 'LOGIN'
  | 'SSL REQUEST'
  | 'GSS REQUEST'
  | 'TERMINATE'

/** A statement's way through the connection, with what pairing needs to know of it. */
export interface Operation extends Exchange {
  kind: OperationKind
  statement: SqlStatement | undefined
  /** Name of the prepared statement that it parsed or bound. */
  statementName: string
  parsed: boolean
  bound: boolean
  /** The client has sent all of it; its last message's last byte may still be on the way. */
  sent: boolean
  /** Answers that are awaited for its own messages. */
  awaited: number
  answered: boolean
  /** Behind the last byte of its answer so far. */
  answeredTo: number
  /** Its answer was over at the server, or it was given up. */
  over: boolean
  /** Rows that the answer said it had; -1: it did not say. */
  rows: number
}

const HOUSEKEEPING: ReadonlySet<OperationKind> = new Set([
  'LOGIN',
  'SSL REQUEST',
  'GSS REQUEST',
  'TERMINATE',
  'DESCRIBE',
] satisfies OperationKind[])
const MESSAGES: ReadonlySet<OperationKind> = new Set(['CANCEL', 'TERMINATE'] satisfies OperationKind[])
/** Done about a statement, without executing it. */
const ABOUT: ReadonlySet<OperationKind> = new Set(['PREPARE', 'FETCH', 'DESCRIBE'] satisfies OperationKind[])

export function createOperation(
  kind: OperationKind,
  namespace: string | undefined,
  statement: SqlStatement | undefined,
): Operation {
  const operation: Operation = {
    protocol: 'postgresql',
    initiator: 'client',
    shape: MESSAGES.has(kind) ? 'message' : 'call',
    name: kind,
    attributes: {},
    clientError: undefined,
    serverError: undefined,
    contentKeys: [],
    truncated: false,
    housekeeping: HOUSEKEEPING.has(kind),
    requestBodyBytes: undefined,
    responseBodyBytes: undefined,
    tag: 0,
    follower: undefined,
    kind,
    statement,
    statementName: '',
    parsed: false,
    bound: false,
    sent: false,
    awaited: 0,
    answered: false,
    answeredTo: 0,
    over: false,
    rows: -1,
  }
  describe(operation, namespace)
  return operation
}

/** The operation turned out to be more than it began as: a prepared statement is executed at once. */
export function becomeExecution(
  operation: Operation,
  namespace: string | undefined,
  statement: SqlStatement | undefined,
): void {
  operation.kind = 'EXECUTE'
  operation.statement = statement
  describe(operation, namespace)
}

function describe(operation: Operation, namespace: string | undefined): void {
  const { kind, statement, attributes } = operation
  const about = ABOUT.has(kind)
  const summary = statement?.summary(undefined) ?? ''
  operation.name = summary === '' ? kind : about ? `${kind} ${summary}` : summary
  if (operation.housekeeping) return
  attributes[Attribute.dbSystemName] = 'postgresql'
  if (namespace !== undefined) attributes[Attribute.dbNamespace] = namespace
  attributes[Attribute.dbOperationName] =
    statement === undefined || about || statement.operation === '' ? kind : statement.operation
  if (statement !== undefined) describeStatement(attributes, statement, operation.name)
}

function describeStatement(attributes: Attributes, statement: SqlStatement, summary: string): void {
  if (statement.collection !== undefined) attributes[Attribute.dbCollectionName] = statement.collection
  if (statement.storedProcedure !== undefined) attributes[Attribute.dbStoredProcedureName] = statement.storedProcedure
  if (statement.text !== '') attributes[Attribute.dbQueryText] = statement.text
  attributes[Attribute.dbQuerySummary] = summary
}

/** The server answered with an error. @param sqlState five characters, or empty where it was not seen. */
export function failOperation(operation: Operation, sqlState: string): void {
  const error = sqlState === '' ? 'error' : sqlState
  operation.clientError = error
  operation.serverError = error
  if (operation.housekeeping) return
  if (sqlState !== '') operation.attributes[Attribute.dbResponseStatusCode] = sqlState
  operation.attributes[Attribute.errorType] = error
}
