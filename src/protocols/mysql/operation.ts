import { Attribute } from '../attribute-names.js'
import type { Attributes, Exchange } from '../protocol.js'
import { createAttributesMaker } from '../roomy-attributes.js'
import type { SqlStatement } from '../sql/statement-reader.js'
import type { CommandKind } from './commands.js'

/** A command and its answer, with what pairing needs to know of it. */
export interface Operation extends Exchange {
  readonly kind: CommandKind
  /** What is executed or prepared. */
  readonly statement: SqlStatement | undefined
  /** Schema that applies once the command has succeeded. */
  readonly uses: string | undefined
  /** Sequence number that the first packet of the answer has. */
  answerSequence: number
  answered: boolean
}

export interface OperationContext {
  readonly system: string
  readonly namespace: string | undefined
}

/** @param about the command does something with the statement (prepares it, fetches rows of it) but does not execute it. */
export function createOperation(
  kind: CommandKind,
  context: OperationContext,
  statement: SqlStatement | undefined,
  uses: string | undefined,
  about = false,
): Operation {
  const summary = statement?.summary(context.namespace) ?? ''
  const name = summary === '' ? kind.name : about ? `${kind.name} ${summary}` : summary
  return {
    protocol: 'mysql',
    initiator: 'client',
    shape: kind.answer === 0 ? 'message' : 'call',
    name: uses !== undefined && statement === undefined && !kind.housekeeping ? `${kind.name} ${uses}` : name,
    attributes: kind.housekeeping ? NONE : attributesOf(kind, context, statement, name, about),
    clientError: undefined,
    serverError: undefined,
    contentKeys: [],
    truncated: false,
    housekeeping: kind.housekeeping,
    requestBodyBytes: undefined,
    follower: undefined,
    responseBodyBytes: undefined,
    tag: 0,
    kind,
    statement,
    uses,
    answerSequence: 1,
    answered: false,
  }
}

const NONE: Attributes = Object.freeze({})
const makeAttributes = createAttributesMaker()

function attributesOf(
  kind: CommandKind,
  context: OperationContext,
  statement: SqlStatement | undefined,
  summary: string,
  about: boolean,
): Attributes {
  const attributes = makeAttributes()
  attributes[Attribute.dbSystemName] = context.system
  if (context.namespace !== undefined) attributes[Attribute.dbNamespace] = context.namespace
  if (statement === undefined) {
    attributes[Attribute.dbOperationName] = kind.name
    return attributes
  }
  attributes[Attribute.dbOperationName] = about || statement.operation === '' ? kind.name : statement.operation
  if (statement.collection !== undefined) attributes[Attribute.dbCollectionName] = statement.collection
  if (statement.storedProcedure !== undefined) attributes[Attribute.dbStoredProcedureName] = statement.storedProcedure
  if (statement.text !== '') attributes[Attribute.dbQueryText] = statement.text
  attributes[Attribute.dbQuerySummary] = summary
  return attributes
}

/** The command was answered with an error: semantic conventions want the code as text, and as the error's type. */
export function failOperation(operation: Operation, code: number): void {
  const error = code === 0 ? 'error' : String(code)
  operation.clientError = error
  operation.serverError = error
  if (operation.housekeeping) return
  if (code !== 0) operation.attributes[Attribute.dbResponseStatusCode] = error
  operation.attributes[Attribute.errorType] = error
}
