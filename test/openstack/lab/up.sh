#!/bin/bash
# Brings up a one-machine OpenStack (Debian bookworm's Zed packages) without
# systemd: configures, initialises, starts, waits for health. Run as root; run
# it again at will, it only does what is missing. The packages are there before
# (../packages.json, installed by the project's set-up). README.md has more.
#
# Settings (environment): OSLAB (lab directory), OSLAB_WORKERS, OSLAB_THREADS,
# OSLAB_PROFILER=0|1, OSLAB_NEUTRON=0|1, KAFKA=0|1 (see lib.sh).
set -u
. "$(dirname "$0")/lib.sh"
NEUTRON=${OSLAB_NEUTRON:-1}
export OSLAB_NEUTRON=$NEUTRON
[ "$(id -u)" = 0 ] || die "run as root"
T0=$SECONDS

directories() {
  mkdir -p "$LAB"/{etc,run,log,data,state} "$LAB"/data/home
  chmod 755 "$LAB" "$LAB"/{etc,run,log,data,state}
  chmod 1777 "$LAB/data/home"
  local s
  for s in keystone glance placement nova neutron; do
    id "$s" >/dev/null 2>&1 || continue
    mkdir -p "$LAB/etc/$s" "$LAB/data/$s"
    chown "$s:$s" "$LAB/data/$s"
  done
  install -d -o keystone -g keystone -m 700 "$LAB"/data/keystone/{fernet-keys,credential-keys}
  install -d -o glance -g glance "$LAB"/data/glance/{images,lock}
  install -d -o nova -g nova "$LAB"/data/nova/{lock,instances}
  [ "$NEUTRON" = 1 ] && install -d -o neutron -g neutron "$LAB"/data/neutron/lock
  install -d -o mysql -g mysql "$LAB/run/mysql"
  install -d -o rabbitmq -g rabbitmq "$LAB"/data/rabbitmq
  install -d -o redis -g redis "$LAB"/data/redis
}

# uwsgi_ini SERVICE USER WSGI-FILE THREADS [LINE...]
uwsgi_ini() {
  local s=$1 user=$2 wsgi=$3 threads=$4; shift 4
  render "$HERE/conf/uwsgi.ini.tmpl" "$LAB/etc/$user/$s-uwsgi.ini"
  { echo "threads = $threads"
    echo "name = $s"
    echo "chdir = $LAB/data/$user"
    echo "wsgi-file = $wsgi"
    printf '%s\n' "$@"; } >>"$LAB/etc/$user/$s-uwsgi.ini"
}

configure() {
  local c="$HERE/conf" e="$LAB/etc"
  render "$c/my.cnf.tmpl" "$e/my.cnf"
  render "$c/rabbitmq.conf.tmpl" "$e/rabbitmq.conf"
  : >"$e/rabbitmq-env.conf"
  echo '[].' >"$e/rabbitmq-plugins"
  render "$c/keystone.conf.tmpl" "$e/keystone/keystone.conf"
  render "$c/glance-api.conf.tmpl" "$e/glance/glance-api.conf"
  render "$c/placement.conf.tmpl" "$e/placement/placement.conf"
  render "$c/nova.conf.tmpl" "$e/nova/nova.conf"
  # nova-compute must not know the databases (it goes through the conductor).
  grep -v '^connection = mysql' "$e/nova/nova.conf" >"$e/nova/nova-compute.conf"
  # The packaged pipelines already hold the osprofiler filter (glance, nova,
  # neutron); keystone and placement add it in code when [profiler] is on.
  cp /usr/share/glance-common/glance-api-paste.ini "$e/glance/"
  cp /usr/share/nova-common/api-paste.ini "$e/nova/"
  # Debian has "Connection: close" for placement and neutron only. Without it
  # clients of keystone and nova-api take the connection for a lasting one while
  # uwsgi closes it after every answer, and now and then the next request on it
  # ends in ECONNRESET (seen on DELETE /servers, whose 204 has no body).
  # Placement's lines for chunked bodies are Debian's.
  uwsgi_ini keystone keystone /usr/bin/keystone-wsgi-public "$THREADS" \
    "add-header = Connection: close"
  uwsgi_ini placement-api placement /usr/bin/placement-api "$THREADS" \
    "socket-timeout = 10" "http-auto-chunked = true" "http-chunked-input = true" \
    "http-raw-body = true" "add-header = Connection: close" \
    "exit-on-reload = true" "wsgi-manage-chunked-input = true"
  uwsgi_ini nova-api nova /usr/bin/nova-api-wsgi 1 "add-header = Connection: close"
  if [ "$NEUTRON" = 1 ]; then
    render "$c/neutron.conf.tmpl" "$e/neutron/neutron.conf"
    cp /usr/share/neutron-common/api-paste.ini "$e/neutron/"
    # One thread, unlike Debian's 32: neutron-api is monkey-patched by eventlet,
    # and a green lock released in another native thread never wakes its waiter
    # (seen: a PUT /v2.0/ports that hung for good, its server stuck in BUILD).
    uwsgi_ini neutron-api neutron /usr/bin/neutron-api 1 \
      "add-header = Connection: close"
    mkdir -p "$LAB/py"
    cp -r "$HERE/ml2/." "$LAB/py/"
    chmod -R a+rX "$LAB/py"
  fi
  cat >"$LAB/openrc" <<RC
export OS_AUTH_URL=http://$HOST_IP:5000/v3
export OS_USERNAME=admin OS_PASSWORD=$PASS OS_PROJECT_NAME=admin
export OS_USER_DOMAIN_NAME=Default OS_PROJECT_DOMAIN_NAME=Default
export OS_IDENTITY_API_VERSION=3 OS_REGION_NAME=RegionOne
export OS_INTERFACE=public
RC
  chmod -R a+rX "$e" "$LAB/openrc"
}

sql() { mariadb --no-defaults -S "$LAB/run/mysql/mysqld.sock" -u root -N -B "$@"; }

mysql_dir() {
  mariadb-install-db --no-defaults --user=mysql --datadir="$LAB/data/mysql" \
    --auth-root-authentication-method=socket --skip-test-db \
    >>"$LAB/log/mariadb.log" 2>&1
}

rabbit_env() {
  # One private node: own cookie, own epmd, every listener on loopback.
  export ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$EPMD_PORT RABBITMQ_DIST_PORT=$RABBIT_DIST_PORT
  export RABBITMQ_NODENAME=oslab@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
  export RABBITMQ_MNESIA_BASE="$LAB/data/rabbitmq/mnesia" RABBITMQ_LOG_BASE="$LAB/data/rabbitmq"
  export RABBITMQ_CONFIG_FILE="$LAB/etc/rabbitmq.conf"
  export RABBITMQ_CONF_ENV_FILE="$LAB/etc/rabbitmq-env.conf"
  export RABBITMQ_ENABLED_PLUGINS_FILE="$LAB/etc/rabbitmq-plugins"
  export RABBITMQ_PID_FILE="$LAB/data/rabbitmq/rabbit.pid"
  export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"
}

backends() {
  launch memcached memcache / /usr/bin/memcached -l 127.0.0.1 -p $MEMCACHED_PORT -U 0 -m 64 -c 1024
  launch redis redis "$LAB/data/redis" /usr/bin/redis-server --bind 127.0.0.1 --port $REDIS_PORT \
    --save "" --appendonly no --daemonize no --dir "$LAB/data/redis" \
    --maxmemory 512mb --maxmemory-policy allkeys-lru
  once mysql-dir mysql_dir || die "mariadb-install-db (see $LAB/log/mariadb.log)"
  launch mariadb mysql "$LAB/data" /usr/sbin/mariadbd --defaults-file="$LAB/etc/my.cnf"
  ( rabbit_env
    launch epmd rabbitmq / /usr/bin/epmd -address 127.0.0.1 -port $EPMD_PORT
    wait_for 10 epmd port $EPMD_PORT
    HOME="$LAB/data/rabbitmq" launch rabbitmq rabbitmq "$LAB/data/rabbitmq" \
      /usr/lib/rabbitmq/bin/rabbitmq-server ) || exit 1
  wait_for 60 memcached port $MEMCACHED_PORT
  wait_for 60 redis port $REDIS_PORT
  wait_for 120 mariadb port $MYSQL_PORT
  wait_for 180 rabbitmq port $RABBIT_PORT
}

databases() {
  local db user
  for db in keystone:keystone glance:glance placement:placement nova:nova_api \
            nova:nova_cell0 nova:nova_cell1 neutron:neutron; do
    user=${db%%:*}; db=${db#*:}
    echo "CREATE DATABASE IF NOT EXISTS $db CHARACTER SET utf8mb3;
      GRANT ALL ON $db.* TO '$user'@'127.0.0.1' IDENTIFIED BY '$PASS';"
  done | sql || return 1
}

keystone_init() {
  local k="--config-file $LAB/etc/keystone/keystone.conf"
  as keystone keystone-manage $k db_sync &&
  as keystone keystone-manage $k fernet_setup --keystone-user keystone --keystone-group keystone &&
  as keystone keystone-manage $k credential_setup --keystone-user keystone --keystone-group keystone &&
  as keystone keystone-manage $k bootstrap --bootstrap-password "$PASS" \
    --bootstrap-region-id RegionOne \
    --bootstrap-admin-url "http://$HOST_IP:5000/v3" \
    --bootstrap-internal-url "http://$HOST_IP:5000/v3" \
    --bootstrap-public-url "http://$HOST_IP:5000/v3"
}
glance_init() {
  local g="glance-manage --config-file $LAB/etc/glance/glance-api.conf"
  # Tempest's metadefs tests want at least one resource type.
  as glance $g db_sync && as glance $g db_load_metadefs /usr/share/glance-common/metadefs
}
placement_init() { as placement placement-manage --config-file "$LAB/etc/placement/placement.conf" db sync; }
nova_manage() { as nova nova-manage --config-file "$LAB/etc/nova/nova.conf" "$@"; }
nova_init() {
  nova_manage api_db sync &&
  nova_manage cell_v2 map_cell0 --database_connection "mysql+pymysql://nova:$PASS@$HOST_IP:$MYSQL_PORT/nova_cell0" &&
  nova_manage db sync || return 1
  nova_manage cell_v2 list_cells | grep -q ' cell1 ' || nova_manage cell_v2 create_cell --name cell1
}
neutron_init() {
  PYTHONPATH="$LAB/py" as neutron neutron-db-manage --config-file "$LAB/etc/neutron/neutron.conf" upgrade heads
}
# init NAME FUNCTION: once, with its output in log/init-NAME.log.
init() {
  local t=$SECONDS
  [ -e "$LAB/state/$1" ] && return 0
  once "$1" "$2" >>"$LAB/log/init-$1.log" 2>&1 || die "$1 initialisation (see $LAB/log/init-$1.log)"
  say "initialised $1 ($((SECONDS - t))s)"
}

uwsgi() { # NAME USER PORT ENVIRONMENT...
  local name=$1 user=$2 p=$3; shift 3
  launch "$name" "$user" "$LAB/data/$user" env HOME="$LAB/data/home" "$@" \
    "$UWSGI" --http-socket "$HOST_IP:$p" --ini "$LAB/etc/$user/$name-uwsgi.ini"
}

seed_identity() { ( . "$LAB/openrc"; /usr/bin/python3 "$HERE/seed.py" identity ); }
seed_resources() { ( . "$LAB/openrc"; /usr/bin/python3 "$HERE/seed.py" resources ); }
discover_hosts() { nova_manage cell_v2 discover_hosts --verbose; }

compute_up() {
  ( . "$LAB/openrc"
    openstack compute service list -f value -c Binary -c State ) >"$LAB/run/compute-services" 2>/dev/null || return 1
  local s
  for s in nova-conductor nova-scheduler nova-compute; do
    grep -q "^$s up" "$LAB/run/compute-services" || return 1
  done
}

mkdir -p "$LAB/log"
directories
configure
T1=$SECONDS
[ "$KAFKA" = 1 ] && { port "$KAFKA_PORT" || die "KAFKA=1, but no broker listens on 127.0.0.1:$KAFKA_PORT"; }
free memcached $MEMCACHED_PORT; free redis $REDIS_PORT; free mariadb $MYSQL_PORT; free rabbitmq $RABBIT_PORT
free keystone 5000; free placement-api 8778; free nova-api 8774; free glance-api 9292; free neutron-api 9696
backends
init databases databases
SERVICES="keystone glance placement nova"
[ "$NEUTRON" = 1 ] && SERVICES="$SERVICES neutron"
jobs=""
for s in $SERVICES; do init "$s" "${s}_init" & jobs="$jobs $!"; done
# Only these: a bare wait would wait for the daemons too.
for s in $jobs; do wait "$s"; done
for s in $SERVICES; do [ -e "$LAB/state/$s" ] || exit 1; done
uwsgi keystone keystone 5000 OS_KEYSTONE_CONFIG_DIR="$LAB/etc/keystone"
# On a later start the rest need not wait for keystone.
[ -e "$LAB/state/seed-identity-$NEUTRON" ] ||
  wait_for 120 keystone http "http://$HOST_IP:5000/v3" 200
init seed-identity-$NEUTRON seed_identity
uwsgi placement-api placement 8778 OS_PLACEMENT_CONFIG_DIR="$LAB/etc/placement"
# Debian runs glance-api as an eventlet daemon ("appears broken with uwsgi").
launch glance-api glance "$LAB/data/glance" env HOME="$LAB/data/home" \
  /usr/bin/glance-api --config-file="$LAB/etc/glance/glance-api.conf"
uwsgi nova-api nova 8774 OS_NOVA_CONFIG_DIR="$LAB/etc/nova"
if [ "$NEUTRON" = 1 ]; then
  launch neutron-api neutron "$LAB/data/neutron" env HOME="$LAB/data/home" PYTHONPATH="$LAB/py" \
    "$UWSGI" --http-socket "$HOST_IP:9696" --ini "$LAB/etc/neutron/neutron-api-uwsgi.ini" \
    --pyargv "--config-file=$LAB/etc/neutron/neutron.conf"
fi
for s in conductor scheduler; do
  launch "nova-$s" nova "$LAB/data/nova" env HOME="$LAB/data/home" \
    "/usr/bin/nova-$s" --config-file="$LAB/etc/nova/nova.conf"
done
launch nova-compute nova "$LAB/data/nova" env HOME="$LAB/data/home" \
  /usr/bin/nova-compute --config-file="$LAB/etc/nova/nova-compute.conf"
wait_for 120 keystone http "http://$HOST_IP:5000/v3" 200
wait_for 120 placement http "http://$HOST_IP:8778/" 200
wait_for 120 glance http "http://$HOST_IP:9292/" 200 300
wait_for 180 nova-api http "http://$HOST_IP:8774/" 200
[ "$NEUTRON" = 1 ] && wait_for 180 neutron http "http://$HOST_IP:9696/" 200
wait_for 240 "nova conductor, scheduler and compute" compute_up
init cell-hosts discover_hosts
init seed-resources-$NEUTRON seed_resources
say "OpenStack is up: $((SECONDS - T1))s after the packages, $((SECONDS - T0))s in all"
say "use it with:  . $LAB/openrc; openstack server create ..."
