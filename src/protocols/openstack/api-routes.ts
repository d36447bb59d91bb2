/** One API of OpenStack: where it usually listens, how its paths begin, its routes. */
export interface OpenstackApi {
  /** As the service catalog calls it. */
  readonly type: string
  /** Usual ports; a path that only this API has decides elsewhere. */
  readonly ports: readonly number[]
  /** A prefix behind which the API lies where one web server has several (`/compute/v2.1/…`). */
  readonly mounts: readonly string[]
  /** Version prefix of every route; '' where paths have none. */
  readonly version: string
  /** Beginnings of paths, behind the version, that no other API has. */
  readonly distinctive: RegExp
  /** As the API reference writes them. */
  readonly routes: readonly string[]
}

const lines = (text: string): string[] => text.trim().split(/\s+/)

/** A collection, its members, and what lies below a member. */
const collection = (path: string, id: string, ...below: readonly string[]): string[] => [
  path,
  `${path}/{${id}}`,
  ...below.map(each => `${path}/{${id}}/${each}`),
]

/** Some clouds' catalogs still put the project in front. */
const withProject = (routes: readonly string[]): string[] => [
  ...routes,
  ...routes.map(route => `/{project_id}${route}`),
]

/** https://docs.openstack.org/api-ref/compute/ (microversions to 2.96, and what older ones still have). */
const compute: OpenstackApi = {
  type: 'compute',
  ports: [8774],
  mounts: ['/compute'],
  version: '/v2.1',
  distinctive: /^/,
  routes: withProject([
    '/servers/detail',
    ...collection(
      '/servers',
      'server_id',
      ...lines(`action consoles/{console_id} diagnostics ips ips/{network_label} metadata metadata/{key} migrations
        migrations/{migration_id} migrations/{migration_id}/action os-instance-actions os-instance-actions/{request_id}
        os-interface os-interface/{port_id} os-security-groups os-server-password os-virtual-interfaces
        os-volume_attachments os-volume_attachments/{volume_id} remote-consoles shares shares/{share_id} tags tags/{tag}
        topology`),
    ),
    '/flavors/detail',
    ...collection(
      '/flavors',
      'flavor_id',
      'action',
      'os-flavor-access',
      'os-extra_specs',
      'os-extra_specs/{flavor_extra_spec_key}',
    ),
    '/images/detail',
    ...collection('/images', 'image_id', 'metadata', 'metadata/{key}'),
    ...collection('/os-keypairs', 'keypair_name'),
    ...collection('/os-quota-sets', 'tenant_id', 'defaults', 'detail'),
    ...collection('/os-quota-class-sets', 'id'),
    '/os-hypervisors/detail',
    '/os-hypervisors/statistics',
    ...collection('/os-hypervisors', 'hypervisor_id', 'uptime', 'search', 'servers'),
    '/os-services/enable',
    '/os-services/disable',
    '/os-services/disable-log-reason',
    '/os-services/force-down',
    ...collection('/os-services', 'service_id'),
    ...collection('/os-server-groups', 'server_group_id'),
    ...collection('/os-aggregates', 'aggregate_id', 'action', 'images'),
    '/os-availability-zone',
    '/os-availability-zone/detail',
    ...collection('/os-simple-tenant-usage', 'tenant_id'),
    ...collection('/os-volumes', 'volume_id'),
    ...collection('/os-snapshots', 'snapshot_id'),
    ...collection('/os-security-groups', 'security_group_id'),
    ...collection('/os-security-group-rules', 'security_group_rule_id'),
    ...collection('/os-networks', 'network_id', 'action'),
    ...collection('/os-tenant-networks', 'network_id'),
    ...collection('/os-floating-ips', 'floating_ip_id'),
    ...collection('/os-agents', 'agent_build_id'),
    ...collection('/os-hosts', 'host_name', 'reboot', 'shutdown', 'startup'),
    ...collection('/os-instance_usage_audit_log', 'before_timestamp'),
    '/os-assisted-volume-snapshots',
    '/os-assisted-volume-snapshots/{snapshot_id}',
    '/os-console-auth-tokens/{console_token}',
    '/os-migrations',
    '/os-server-external-events',
    '/limits',
    ...collection('/extensions', 'alias'),
  ]),
}

/** https://docs.openstack.org/api-ref/identity/v3/ */
const identity: OpenstackApi = {
  type: 'identity',
  ports: [5000, 35357],
  mounts: ['/identity', '/identity_admin'],
  version: '/v3',
  distinctive: /^\/(auth\/|users\/|projects\/|domains\/|roles\/|OS-(INHERIT|TRUST|FEDERATION|OAUTH1)\/)/,
  routes: [
    ...lines(`/auth/tokens /auth/tokens/OS-PKI/revoked /auth/catalog /auth/projects /auth/domains /auth/system
      /auth/receipts /auth/OS-FEDERATION/websso/{protocol_id}`),
    ...collection(
      '/users',
      'user_id',
      ...lines(`password groups projects application_credentials application_credentials/{application_credential_id}
        access_rules access_rules/{access_rule_id} credentials/OS-EC2 credentials/OS-EC2/{credential_id}
        OS-OAUTH1/access_tokens OS-OAUTH1/access_tokens/{access_token_id}`),
    ),
    ...collection('/groups', 'group_id', 'users', 'users/{user_id}'),
    ...collection(
      '/projects',
      'project_id',
      ...lines(`tags tags/{tag} users/{user_id}/roles users/{user_id}/roles/{role_id} groups/{group_id}/roles
        groups/{group_id}/roles/{role_id}`),
    ),
    '/domains/config/default',
    '/domains/config/{group}/default',
    '/domains/config/{group}/{option}/default',
    ...collection(
      '/domains',
      'domain_id',
      ...lines(`config config/{group} config/{group}/{option} users/{user_id}/roles users/{user_id}/roles/{role_id}
        groups/{group_id}/roles groups/{group_id}/roles/{role_id}`),
    ),
    ...lines(`/system/users/{user_id}/roles /system/users/{user_id}/roles/{role_id} /system/groups/{group_id}/roles
      /system/groups/{group_id}/roles/{role_id} /role_assignments /role_inferences`),
    ...collection('/roles', 'role_id', 'implies', 'implies/{implies_role_id}'),
    ...collection('/services', 'service_id'),
    ...collection('/endpoints', 'endpoint_id', 'OS-ENDPOINT-POLICY/policy'),
    ...collection('/regions', 'region_id'),
    ...collection('/credentials', 'credential_id'),
    ...collection('/policies', 'policy_id'),
    '/limits/model',
    ...collection('/limits', 'limit_id'),
    ...collection('/registered_limits', 'registered_limit_id'),
    ...collection('/OS-TRUST/trusts', 'trust_id', 'roles', 'roles/{role_id}'),
    ...collection('/OS-EP-FILTER/endpoint_groups', 'endpoint_group_id', 'endpoints', 'projects'),
    ...lines(`/OS-EP-FILTER/projects/{project_id}/endpoints /OS-EP-FILTER/projects/{project_id}/endpoints/{endpoint_id}
      /OS-EP-FILTER/endpoints/{endpoint_id}/projects /OS-INHERIT/projects/{project_id}/users/{user_id}/roles/{role_id}/inherited_to_projects
      /OS-INHERIT/domains/{domain_id}/users/{user_id}/roles/{role_id}/inherited_to_projects
      /OS-FEDERATION/projects /OS-FEDERATION/domains /OS-FEDERATION/saml2/metadata /ec2tokens /s3tokens
      /OS-OAUTH1/request_token /OS-OAUTH1/access_token /OS-OAUTH1/authorize/{request_token_id} /OS-OAUTH2/token`),
    ...collection('/OS-FEDERATION/identity_providers', 'idp_id', 'protocols', 'protocols/{protocol_id}'),
    ...collection('/OS-FEDERATION/mappings', 'mapping_id'),
    ...collection('/OS-FEDERATION/service_providers', 'service_provider_id'),
    ...collection('/OS-OAUTH1/consumers', 'consumer_id'),
  ],
}

/** https://docs.openstack.org/api-ref/image/v2/ */
const image: OpenstackApi = {
  type: 'image',
  ports: [9292],
  mounts: ['/image'],
  version: '/v2',
  distinctive: /^\/(images|metadefs|schemas)(\/|$)/,
  routes: [
    ...collection(
      '/images',
      'image_id',
      ...lines(`file stage import tasks locations members members/{member_id} tags/{tag} actions/deactivate
        actions/reactivate`),
    ),
    ...collection('/tasks', 'task_id'),
    ...lines(`/schemas/images /schemas/image /schemas/members /schemas/member /schemas/tasks /schemas/task
      /schemas/metadefs/{name} /info/import /info/stores /info/stores/detail /info/usage /stores/{store_id}/{image_id}
      /cache /cache/{image_id} /cached_images /cached_images/{image_id} /queued_images/{image_id} /metadefs/resource_types`),
    ...collection(
      '/metadefs/namespaces',
      'namespace_name',
      ...lines(`objects objects/{object_name} properties properties/{property_name} tags tags/{tag_name} resource_types
        resource_types/{resource_type_name}`),
    ),
  ],
}

/** https://docs.openstack.org/api-ref/network/v2/ */
const network: OpenstackApi = {
  type: 'network',
  ports: [9696],
  mounts: ['/networking', '/network'],
  version: '/v2.0',
  distinctive: /^\/(networks|subnets|ports|routers|floatingips|security-group|agents|subnetpools|quotas|extensions)/,
  routes: [
    ...collection('/networks', 'network_id', 'dhcp-agents', 'tags', 'tags/{tag}'),
    ...collection('/subnets', 'subnet_id', 'tags', 'tags/{tag}'),
    ...collection('/ports', 'port_id', 'bindings', 'bindings/{host}', 'bindings/{host}/activate', 'tags', 'tags/{tag}'),
    ...collection('/subnetpools', 'subnetpool_id', 'tags', 'tags/{tag}', 'onboard_network_subnets'),
    ...collection(
      '/routers',
      'router_id',
      ...lines(`add_router_interface remove_router_interface add_extraroutes remove_extraroutes l3-agents tags tags/{tag}
        conntrack_helpers`),
    ),
    ...collection('/floatingips', 'floatingip_id', 'port_forwardings', 'port_forwardings/{port_forwarding_id}', 'tags'),
    ...collection('/security-groups', 'security_group_id', 'tags', 'tags/{tag}'),
    ...collection('/security-group-rules', 'security_group_rule_id'),
    ...collection('/default-security-group-rules', 'default_security_group_rule_id'),
    ...collection('/address-scopes', 'address_scope_id'),
    ...collection('/address-groups', 'address_group_id', 'add_addresses', 'remove_addresses'),
    ...collection(
      '/agents',
      'agent_id',
      ...lines('dhcp-networks dhcp-networks/{network_id} l3-routers l3-routers/{router_id}'),
    ),
    ...collection('/quotas', 'project_id', 'default', 'details.json', 'default.json'),
    ...collection('/extensions', 'alias'),
    ...collection('/rbac-policies', 'rbac_policy_id'),
    ...collection('/trunks', 'trunk_id', 'add_subports', 'remove_subports', 'get_subports'),
    ...collection(
      '/qos/policies',
      'policy_id',
      ...lines(`bandwidth_limit_rules bandwidth_limit_rules/{rule_id} dscp_marking_rules dscp_marking_rules/{rule_id}
        minimum_bandwidth_rules minimum_bandwidth_rules/{rule_id}`),
    ),
    ...collection('/qos/rule-types', 'rule_type'),
    ...collection('/segments', 'segment_id'),
    ...collection('/flavors', 'flavor_id'),
    ...collection('/service_profiles', 'profile_id'),
    ...collection('/metering/metering-labels', 'metering_label_id'),
    ...collection('/metering/metering-label-rules', 'metering_label_rule_id'),
    ...collection('/log/logs', 'log_id'),
    '/log/loggable-resources',
    ...collection('/auto-allocated-topology', 'project_id'),
    ...collection('/network-ip-availabilities', 'network_id'),
    ...collection('/network_segment_ranges', 'network_segment_range_id'),
    '/availability_zones',
    '/service-providers',
  ],
}

/** https://docs.openstack.org/api-ref/placement/ */
const placement: OpenstackApi = {
  type: 'placement',
  ports: [8778],
  mounts: ['/placement'],
  version: '',
  distinctive: /^\/(resource_providers|allocation_candidates|resource_classes|reshaper)(\/|\?|$)/,
  routes: [
    ...collection('/resource_providers', 'uuid', 'inventories', 'inventories/{resource_class}', 'usages', 'aggregates'),
    '/resource_providers/{uuid}/traits',
    '/resource_providers/{uuid}/allocations',
    ...collection('/resource_classes', 'name'),
    ...collection('/traits', 'name'),
    ...collection('/allocations', 'consumer_uuid'),
    '/allocation_candidates',
    '/usages',
    '/reshaper',
  ],
}

/** https://docs.openstack.org/api-ref/block-storage/v3/ */
const volumeRoutes = [
  '/volumes/detail',
  '/volumes/summary',
  ...collection('/volumes', 'volume_id', 'action', 'metadata', 'metadata/{key}', 'encryption', 'encryption/{key}'),
  '/snapshots/detail',
  ...collection('/snapshots', 'snapshot_id', 'action', 'metadata', 'metadata/{key}'),
  '/backups/detail',
  ...collection('/backups', 'backup_id', 'action', 'restore', 'export_record'),
  ...collection('/types', 'volume_type_id', 'action', 'extra_specs', 'extra_specs/{key}', 'encryption'),
  '/attachments/detail',
  ...collection('/attachments', 'attachment_id', 'action'),
  ...collection('/os-quota-sets', 'project_id', 'defaults'),
  '/os-services',
  '/limits',
  '/scheduler-stats/get_pools',
]
const volume: OpenstackApi = {
  type: 'block-storage',
  ports: [8776],
  mounts: ['/volume'],
  version: '/v3',
  distinctive: /^\/([0-9a-f]{32}\/)?(volumes|snapshots|backups|attachments)(\/|$)/,
  routes: withProject(volumeRoutes),
}

export const openstackApis: readonly OpenstackApi[] = [compute, network, image, placement, volume, identity]
