# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_swagip_global_optspecs
    string join \n l/listen= listen-proxy= listen-metrics= t/threads= trusted-proxy= H/client-ip-header= served-by= site-host= site-host-ipv4= site-host-ipv6= site-title= hide-field= explain= mmdb= mmdb-language= reverse-dns= port-test= max-connections= max-connections-per-client= head-timeout= idle-timeout= write-timeout= drain-grace= drain-timeout= access-log= access-log-health= access-log-mask= h/help V/version
end

function __fish_swagip_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_swagip_global_optspecs) -- $cmd 2>/dev/null
    or return 0
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_swagip_using_subcommand
    set -l cmd (__fish_swagip_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c swagip -n "__fish_swagip_needs_command" -s l -l listen -d 'Where to listen: a port, or an address with its port' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -l listen-proxy -d 'Where to listen for the PROXY protocol' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -l listen-metrics -d 'Where to listen for Prometheus' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -s t -l threads -d 'How many threads, or "pinned"' -r -f -a "pinned\t''"
complete -c swagip -n "__fish_swagip_needs_command" -l trusted-proxy -d 'A proxy or network to trust, "loopback" or "private"' -r -f -a "loopback\t''
private\t''"
complete -c swagip -n "__fish_swagip_needs_command" -s H -l client-ip-header -d 'The header that your proxy writes' -r -f -a "x-forwarded-for\t''
forwarded\t''
x-real-ip\t''
cf-connecting-ip\t''"
complete -c swagip -n "__fish_swagip_needs_command" -l served-by -d 'This replica\'s name, or "auto"' -r -f -a "auto\t''
off\t''"
complete -c swagip -n "__fish_swagip_needs_command" -l site-host -d 'The host in the page\'s commands' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -l site-host-ipv4 -d 'A name of this site that has only IPv4 addresses' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -l site-host-ipv6 -d 'A name of this site that has only IPv6 addresses' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -l site-title -d 'The page\'s heading' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -l hide-field -d 'A request header that is never shown' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -l explain -d 'Let /explain show how the address was found' -r -f -a "on\t''
off\t''"
complete -c swagip -n "__fish_swagip_needs_command" -l mmdb -d 'A database of countries, cities or networks' -r -F
complete -c swagip -n "__fish_swagip_needs_command" -l mmdb-language -d 'The language of names, such as de' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -l reverse-dns -d 'The DNS resolver for /hostname, or "system"' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -l port-test -d 'Answer /port/N: can that port of the client be reached?' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -l max-connections -d 'Connections at once' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -l max-connections-per-client -d 'Connections at once from one IPv4 address or IPv6 /64' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -l head-timeout -d 'Time for a whole request head' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -l idle-timeout -d 'Time between requests' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -l write-timeout -d 'Time for a client that has stopped reading' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -l drain-grace -d 'Time for which SIGTERM leaves the listeners open' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -l drain-timeout -d 'Time from the signal to the exit, at most' -r -f
complete -c swagip -n "__fish_swagip_needs_command" -l access-log -d 'Write a line for each answer to standard output' -r -f -a "combined\t''
json\t''
off\t''"
complete -c swagip -n "__fish_swagip_needs_command" -l access-log-health -d 'Log health and readiness checks, too' -r -f -a "on\t''
off\t''"
complete -c swagip -n "__fish_swagip_needs_command" -l access-log-mask -d 'Log networks instead of addresses' -r -f -a "on\t''
off\t''"
complete -c swagip -n "__fish_swagip_needs_command" -s h -l help -d 'Print help'
complete -c swagip -n "__fish_swagip_needs_command" -s V -l version -d 'Print version'
complete -c swagip -n "__fish_swagip_needs_command" -f -a "healthcheck" -d 'Ask a server on this machine whether it is ready'
complete -c swagip -n "__fish_swagip_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c swagip -n "__fish_swagip_using_subcommand healthcheck" -s l -l listen -d 'Where to listen: a port, or an address with its port' -r -f
complete -c swagip -n "__fish_swagip_using_subcommand healthcheck" -l listen-proxy -d 'Where to listen for the PROXY protocol' -r -f
complete -c swagip -n "__fish_swagip_using_subcommand healthcheck" -l listen-metrics -d 'Where to listen for Prometheus' -r -f
complete -c swagip -n "__fish_swagip_using_subcommand healthcheck" -s h -l help -d 'Print help'
complete -c swagip -n "__fish_swagip_using_subcommand help; and not __fish_seen_subcommand_from healthcheck help" -f -a "healthcheck" -d 'Ask a server on this machine whether it is ready'
complete -c swagip -n "__fish_swagip_using_subcommand help; and not __fish_seen_subcommand_from healthcheck help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
