# What deploy/kubernetes/haproxy.cfg has differently from deploy/haproxy.cfg, which it is made of:
#   sed -Ef deploy/kubernetes/haproxy.sed deploy/haproxy.cfg >deploy/kubernetes/haproxy.cfg

# What it is, and how it is reloaded.
1,/^$/c\
# HAProxy 2.8 or later on a machine of its own, in front of the nodes of a Kubernetes cluster with overlays/haproxy. The servers'\
# addresses, at the end of the backend, are yours to change; overlays/haproxy has to name this machine in SWAGIP_TRUSTED_PROXIES.\
#\
# After an edit, without losing a request:\
#   haproxy -c -f /etc/haproxy/haproxy.cfg && systemctl reload haproxy\
# Lines that begin with `#tls` and `#limit` are switched on by removing that word.\
# All else is as in deploy/haproxy.cfg; haproxy.sed has the differences.\


# It is a service of this machine.
s/; docker-compose.yml gives it the memory for them. Without this$/. They take 33 kB each at worst, 320 MB in all. Without this/
s/by Docker's own limit, which may be a billion/by the limit of open files, which may be a billion/
/hard-stop-after 12s/a\
    # It is started as root, for the ports, and works as this user.\
    user haproxy\
    group haproxy
s/(bind :+)8080/\180/
s/(bind :+)8443/\1443/
/TLS and HTTP.2\. Publish 8443/,/curl --cacert/c\
    # TLS and HTTP/2. From Let's Encrypt: cat fullchain.pem privkey.pem >/etc/haproxy/tls.pem
s,/usr/local/etc/haproxy/tls.pem,/etc/haproxy/tls.pem,
s/as on Docker Desktop$/as they do/
s/^( *# )or behind a CDN, set/\1behind a CDN, set/

# A node that loses its power says nothing, and a third of the replicas may be there: a connection is given up sooner, and more
# others are tried. A request on a connection that was open goes to another node if not even the kernel has acknowledged it.
/On the bridge a connection takes microseconds/,/timeout connect/c\
    # In a data centre a connection takes less than a millisecond, and the kernel accepts it for a busy replica. Only what vanished\
    # takes longer: a node, or its last replica. Even six of them in a row are over in 1.2 seconds, and the seventh answers.\
    timeout connect 200ms
s/^( *retries) 3$/\1 6/
s/timeout check 2s/timeout check 1s/
s/# A check of a replica that is only busy must not fail\./# A check is answered by the node, not by a replica, so it is never kept waiting by requests./

# The servers are nodes. They are named, so there is no DNS, and a reload has them from the start.
/^resolvers docker$/,/^$/d
/With no replica at all, as for half a second/,/^$/d

# A node is asked whether it has a replica.
/A replica that was told to stop answers 404 here/,/http-check disable-on-404/c\
    # Kubernetes says on this port of a node whether a replica there takes new connections: 200, or 503. Replicas go on serving for\
    # 10 seconds after that.\
    option httpchk\
    http-check send meth GET uri /healthz ver HTTP/1.1 hdr Host web
/^    # check inter 500ms: a sixth/,/^    server-template/c\
    # check inter 500ms, fall 2: a node is left out a second after its last replica began to stop.\
    # observe layer4 … mark-down: a node that refuses two connections in a row, or takes none in time, is left out at once. No client\
    # can bring this about: the kernel lets at least 512 connections wait for a replica, and maxconn is far below.\
    # maxconn 200: 100 for each of a node's replicas. Further requests wait here for any node; see `timeout queue`. More would only\
    # wait there, so that the answers to all came late.\
    default-server check port 30081 inter 500ms fastinter 200ms fall 2 rise 1\
    default-server maxconn 200\
    default-server observe layer4 error-limit 2 on-error mark-down\
\
    # The nodes. The ports are those of overlays/haproxy/service.yaml.\
    # tcp-ut 200ms: a request over an open connection to a node that lost its power is asked again at another one after some 0.6 seconds.\
    # HAProxy takes it only after an address, here: not after a name, nor in `default-server`, and doesn't say so.\
    server node1 192.0.2.11:30080 tcp-ut 200ms\
    server node2 192.0.2.12:30080 tcp-ut 200ms\
    server node3 192.0.2.13:30080 tcp-ut 200ms

# Statistics are for this machine only.
s/# Published on the machine's 127.0.0.1 only; a Prometheus in the same network asks haproxy:8404.metrics\.$/# For this machine only./
s/bind :8404$/bind 127.0.0.1:8404/
/With the replicas' addresses, by which deploy/,/stats show-legends/d
