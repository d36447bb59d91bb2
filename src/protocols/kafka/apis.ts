/** One api of the protocol: https://kafka.apache.org/protocol (the schemas in common/message of the clients' jar). */
export interface Api {
  readonly key: number
  readonly name: string
  /** Newest version that is known, as of 4.3. */
  readonly newest: number
  /** First version with compact strings and tagged fields (KIP-482). */
  readonly flexibleFrom: number
  /** Part of keeping connections, groups and replicas, not an operation that somebody waits for. */
  readonly housekeeping: boolean
  /** Version from which the answer begins with the time the client is throttled, then has one error; undefined: it has none there. */
  readonly errorBehindThrottleFrom: number | undefined
}

export const ApiKey = {
  produce: 0,
  fetch: 1,
  metadata: 3,
  offsetCommit: 8,
  offsetFetch: 9,
  findCoordinator: 10,
  joinGroup: 11,
  heartbeat: 12,
  leaveGroup: 13,
  syncGroup: 14,
  apiVersions: 18,
  createTopics: 19,
  addOffsetsToTxn: 25,
  txnOffsetCommit: 28,
  consumerGroupHeartbeat: 68,
} as const

const NEVER = 1000
const NONE = undefined

type Row = readonly [
  name: string,
  newest: number,
  flexibleFrom: number,
  housekeeping: boolean,
  errorFrom: number | undefined,
]

/** By key. */
const ROWS: readonly Row[] = [
  ['Produce', 13, 9, true, NONE],
  ['Fetch', 18, 12, true, NONE],
  ['ListOffsets', 11, 6, true, NONE],
  ['Metadata', 13, 9, true, NONE],
  ['LeaderAndIsr', 7, 4, true, NONE],
  ['StopReplica', 4, 2, true, NONE],
  ['UpdateMetadata', 8, 6, true, NONE],
  ['ControlledShutdown', 3, 3, true, NONE],
  ['OffsetCommit', 10, 8, false, NONE],
  ['OffsetFetch', 10, 6, true, NONE],
  ['FindCoordinator', 6, 3, true, NONE],
  ['JoinGroup', 9, 6, true, 2],
  ['Heartbeat', 4, 4, true, 1],
  ['LeaveGroup', 5, 4, true, 1],
  ['SyncGroup', 5, 4, true, 1],
  ['DescribeGroups', 6, 5, false, NONE],
  ['ListGroups', 5, 3, false, 1],
  ['SaslHandshake', 1, NEVER, true, NEVER],
  ['ApiVersions', 5, 3, true, NEVER],
  ['CreateTopics', 7, 5, false, NONE],
  ['DeleteTopics', 6, 4, false, NONE],
  ['DeleteRecords', 2, 2, false, NONE],
  ['InitProducerId', 6, 2, true, 0],
  ['OffsetForLeaderEpoch', 4, 4, true, NONE],
  ['AddPartitionsToTxn', 5, 3, false, NONE],
  ['AddOffsetsToTxn', 4, 3, false, 0],
  ['EndTxn', 5, 3, false, 0],
  ['WriteTxnMarkers', 2, 1, true, NONE],
  ['TxnOffsetCommit', 5, 3, false, NONE],
  ['DescribeAcls', 3, 2, false, 0],
  ['CreateAcls', 3, 2, false, NONE],
  ['DeleteAcls', 3, 2, false, NONE],
  ['DescribeConfigs', 4, 4, false, NONE],
  ['AlterConfigs', 2, 2, false, NONE],
  ['AlterReplicaLogDirs', 2, 2, false, NONE],
  ['DescribeLogDirs', 5, 2, false, NONE],
  ['SaslAuthenticate', 2, 2, true, NEVER],
  ['CreatePartitions', 3, 2, false, NONE],
  ['CreateDelegationToken', 3, 2, false, NONE],
  ['RenewDelegationToken', 2, 2, false, NONE],
  ['ExpireDelegationToken', 2, 2, false, NONE],
  ['DescribeDelegationToken', 3, 2, false, NONE],
  ['DeleteGroups', 2, 2, false, NONE],
  ['ElectLeaders', 2, 2, false, NONE],
  ['IncrementalAlterConfigs', 1, 1, false, NONE],
  ['AlterPartitionReassignments', 1, 0, false, 0],
  ['ListPartitionReassignments', 0, 0, false, 0],
  ['OffsetDelete', 0, NEVER, false, NEVER],
  ['DescribeClientQuotas', 1, 1, false, 0],
  ['AlterClientQuotas', 1, 1, false, NONE],
  ['DescribeUserScramCredentials', 0, 0, false, 0],
  ['AlterUserScramCredentials', 0, 0, false, NONE],
  ['Vote', 2, 0, true, NONE],
  ['BeginQuorumEpoch', 1, 1, true, NONE],
  ['EndQuorumEpoch', 1, 1, true, NONE],
  ['DescribeQuorum', 2, 0, true, NONE],
  ['AlterPartition', 3, 0, true, 0],
  ['UpdateFeatures', 2, 0, false, 0],
  ['Envelope', 0, 0, true, NONE],
  ['FetchSnapshot', 1, 0, true, NONE],
  ['DescribeCluster', 2, 0, false, 0],
  ['DescribeProducers', 0, 0, false, NONE],
  ['BrokerRegistration', 4, 0, true, 0],
  ['BrokerHeartbeat', 1, 0, true, 0],
  ['UnregisterBroker', 0, 0, false, 0],
  ['DescribeTransactions', 0, 0, false, NONE],
  ['ListTransactions', 2, 0, false, 0],
  ['AllocateProducerIds', 0, 0, true, 0],
  ['ConsumerGroupHeartbeat', 1, 0, true, 0],
  ['ConsumerGroupDescribe', 1, 0, false, NONE],
  ['ControllerRegistration', 0, 0, true, 0],
  ['GetTelemetrySubscriptions', 0, 0, true, 0],
  ['PushTelemetry', 0, 0, true, 0],
  ['AssignReplicasToDirs', 0, 0, true, 0],
  ['ListConfigResources', 1, 0, false, 0],
  ['DescribeTopicPartitions', 0, 0, false, NONE],
  ['ShareGroupHeartbeat', 1, 0, true, 0],
  ['ShareGroupDescribe', 1, 0, false, NONE],
  ['ShareFetch', 2, 0, true, 0],
  ['ShareAcknowledge', 2, 0, true, 0],
  ['AddRaftVoter', 1, 0, true, 0],
  ['RemoveRaftVoter', 0, 0, true, 0],
  ['UpdateRaftVoter', 0, 0, true, 0],
  ['InitializeShareGroupState', 0, 0, true, NONE],
  ['ReadShareGroupState', 0, 0, true, NONE],
  ['WriteShareGroupState', 1, 0, true, NONE],
  ['DeleteShareGroupState', 0, 0, true, NONE],
  ['ReadShareGroupStateSummary', 1, 0, true, NONE],
  ['StreamsGroupHeartbeat', 0, 0, true, 0],
  ['StreamsGroupDescribe', 0, 0, false, NONE],
  ['DescribeShareGroupOffsets', 1, 0, false, NONE],
  ['AlterShareGroupOffsets', 0, 0, false, 0],
  ['DeleteShareGroupOffsets', 0, 0, false, 0],
]

export const APIS: readonly Api[] = ROWS.map(
  ([name, newest, flexibleFrom, housekeeping, errorBehindThrottleFrom], key) => ({
    key,
    name,
    newest,
    flexibleFrom,
    housekeeping,
    errorBehindThrottleFrom,
  }),
)

/** Versions beyond the newest known of which the header is still read. */
export const NEWER = 4
