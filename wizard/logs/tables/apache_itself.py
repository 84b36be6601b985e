"""Apache's messages about itself: its limits, its start, its configuration.

Owns the rows, each with the AH numbers under which 2.4 prints it (2.2 prints none). May not know how a line is split.
"""

from __future__ import annotations

from wizard.logs.signatures import Numbered, row

_START = ("gateway-failed-start", "gateway-reload-failed")

ITSELF: Numbered = (
    (
        "AH00161 AH00484 AH00286 AH10159",
        row(
            "connections-exhausted",
            "server reached Max",
            "Apache has no worker left for a request; clients wait in the queue.",
            "gateway-worker-connections",
            pattern=r"reached Max(?:RequestWorkers|Clients)",
        ),
    ),
    (
        "AH00287",
        row(
            "connections-exhausted",
            "server is within MinSpareThreads of Max",
            "Apache has almost no worker left for further requests.",
            "gateway-worker-connections",
        ),
    ),
    (
        "AH00124",
        row(
            "redirect-cycle",
            "Request exceeded the limit of ",
            "The configuration redirects a request to itself; Apache answers 500.",
            "gateway-generated-status",
            pattern=r"limit of \d+ (?:internal redirects|subrequest nesting)",
        ),
    ),
    (
        "AH03490 AH00485",
        row(
            "connections-exhausted",
            "scoreboard is full",
            "Apache has no worker left for a request; clients wait in the queue.",
            "gateway-worker-connections",
        ),
    ),
    (
        "AH01146 AH01145 AH01149",
        row(
            "worker-shared",
            "because of worker sharing",
            "Two ProxyPass lines share one worker; with unix sockets the second one then goes to the first socket.",
            "gateway-apache-worker-collision",
        ),
    ),
    (
        "AH01145 AH01149",
        row(
            "worker-shared",
            "Sharing worker",
            "Two ProxyPass lines share one worker; with unix sockets the second one then goes to the first socket.",
            "gateway-apache-worker-collision",
        ),
    ),
    (
        "",
        row(
            "proxy-loop",
            "Max-Forwards has reached zero",
            "The request went through the proxy more often than Max-Forwards allows.",
            "gateway-proxy-loop",
        ),
    ),
    (
        "AH00072",
        row(
            "port-in-use",
            "could not bind to address",
            "Another process holds the address on which Apache is to listen.",
            "port-owned-by-other-process",
            "gateway-failed-start",
            errnos=(98,),
            pattern=r"address (?P<target>\S+)",
        ),
    ),
    (
        "AH00072",
        row(
            "listen-failed",
            "could not bind to address",
            "Apache cannot listen on this address.",
            "gateway-failed-start",
            "port-owned-by-other-process",
            pattern=r"address (?P<target>\S+)",
        ),
    ),
    (
        "AH00015 AH00016 AH00451",
        row(
            "start-failed",
            "Unable to open logs",
            "Apache cannot open its log files or its addresses and does not start.",
            "gateway-failed-start",
        ),
    ),
    (
        "",
        row(
            "start-failed",
            "no listening sockets available, shutting down",
            "Apache cannot listen on any of its addresses and does not start.",
            *_START,
            "port-owned-by-other-process",
        ),
    ),
    (
        "AH00023",
        row(
            "start-failed",
            "Couldn't create the ",
            "Apache cannot create a lock that it needs, and does not start.",
            *_START,
            pattern=r"create the [\w-]+ mutex",
        ),
    ),
    (
        "",
        row(
            "start-failed",
            "could not open ",
            "Apache cannot open a log file and does not start.",
            *_START,
            pattern=r"could not open (?:error|transfer) log file (?P<target>/\S*?)\.?$",
        ),
    ),
    (
        "AH02312",
        row(
            "tls-key-unreadable",
            "Fatal error initialising mod_ssl",
            "mod_ssl cannot use a certificate or key; Apache refuses to start or to reload.",
            "tls-keys-unreadable",
            *_START,
        ),
    ),
    (
        "AH02572 AH02561 AH02562 AH02564 AH02565 AH02577 AH01903",
        row(
            "tls-key-unreadable",
            "ertificate",
            "A certificate or key of the configuration cannot be used; Apache refuses to start or to reload.",
            "tls-keys-unreadable",
            *_START,
            pattern=r"Failed to configure (?:at least one )?certificate|Certificate and private key .{1,200}do not match"
            r"|Init: Unable to read server certificate|Failed to configure encrypted"
            r"|^SSLCertificate(?:Key)?File: file '(?P<target>[^']*)' does not exist or is empty",
        ),
    ),
    (
        "AH00526",
        row(
            "configuration-refused",
            "Syntax error on line",
            "The configuration is wrong at this place; Apache refuses to start or to reload.",
            *_START,
            pattern=r"line (?P<target>\d+ of [^\s:]+)",
        ),
    ),
    (
        "",
        row(
            "module-missing",
            "Invalid command '",
            "The configuration holds a word that no loaded module knows.",
            "gateway-failed-start",
            "gateway-reload-failed",
            "gateway-missing-module",
            pattern=r"command '(?P<target>[^']*)'",
        ),
    ),
)
