"""Words for exit statuses and signals, as systemd and the programs behind it mean them.

Owns the tables. May not know a unit. Sources: systemd.exec(5), "Process exit codes" (200 to 245 are set by systemd
itself, before the program runs); signal(7) for Linux on x86 and ARM; sysexits.h for 64 to 78.
"""

from __future__ import annotations

from wizard.text import one_line

# status: (name, what could not be done)
SETUP: dict[int, tuple[str, str]] = {
    200: ("CHDIR", "its working directory could not be entered"),
    201: ("NICE", "its nice level could not be set"),
    202: ("FDS", "its file descriptors could not be set up"),
    203: ("EXEC", "its program could not be executed"),
    204: ("MEMORY", "there was not enough memory to start it"),
    205: ("LIMITS", "its resource limits could not be set"),
    206: ("OOM_ADJUST", "its OOM score could not be set"),
    207: ("SIGNAL_MASK", "its signal mask could not be set"),
    208: ("STDIN", "its standard input could not be set up"),
    209: ("STDOUT", "its standard output could not be set up"),
    210: ("CHROOT", "its root directory could not be entered"),
    211: ("IOPRIO", "its I/O priority could not be set"),
    212: ("TIMERSLACK", "its timer slack could not be set"),
    213: ("SECUREBITS", "its secure bits could not be set"),
    214: ("SETSCHEDULER", "its CPU scheduling could not be set"),
    215: ("CPUAFFINITY", "its CPU affinity could not be set"),
    216: ("GROUP", "its group could not be found or taken on"),
    217: ("USER", "its user could not be found or taken on"),
    218: ("CAPABILITIES", "its capabilities could not be set"),
    219: ("CGROUP", "its control group could not be set up"),
    220: ("SETSID", "its session could not be made"),
    221: ("CONFIRM", "its start was cancelled by hand"),
    222: ("STDERR", "its standard error could not be set up"),
    224: ("PAM", "its PAM session could not be opened"),
    225: ("NETWORK", "its network namespace could not be set up"),
    226: ("NAMESPACE", "its mount namespace could not be set up"),
    227: ("NO_NEW_PRIVILEGES", "its privileges could not be locked"),
    228: ("SECCOMP", "its system call filter could not be set"),
    229: ("SELINUX_CONTEXT", "its SELinux context could not be taken on"),
    230: ("PERSONALITY", "its execution domain could not be set"),
    231: ("APPARMOR_PROFILE", "its AppArmor profile could not be taken on"),
    232: ("ADDRESS_FAMILIES", "its address families could not be restricted"),
    233: ("RUNTIME_DIRECTORY", "its runtime directory could not be made"),
    235: ("CHOWN", "its socket could not be given to its owner"),
    236: ("SMACK_PROCESS_LABEL", "its SMACK label could not be set"),
    237: ("KEYRING", "its keyring could not be set up"),
    238: ("STATE_DIRECTORY", "its state directory could not be made"),
    239: ("CACHE_DIRECTORY", "its cache directory could not be made"),
    240: ("LOGS_DIRECTORY", "its logs directory could not be made"),
    241: ("CONFIGURATION_DIRECTORY", "its configuration directory could not be made"),
    242: ("NUMA_POLICY", "its NUMA policy could not be set"),
    243: ("CREDENTIALS", "its credentials could not be loaded"),
    245: ("BPF", "its BPF restrictions could not be set"),
}

_GENERAL: dict[int, str] = {
    64: "wrong usage of its command line",
    65: "wrong input data",
    66: "an input file could not be read",
    69: "something that it needs is unavailable",
    70: "an internal error",
    71: "an error of the operating system",
    73: "an output file could not be made",
    74: "an input or output error",
    75: "a failure that may pass",
    77: "missing permission",
    78: "a configuration error",
    126: "a shell found a program that may not be executed",
    127: "a shell did not find a program",
}

SIGNALS: dict[int, str] = {
    1: "HUP", 2: "INT", 3: "QUIT", 4: "ILL", 5: "TRAP", 6: "ABRT", 7: "BUS", 8: "FPE", 9: "KILL", 10: "USR1",
    11: "SEGV", 12: "USR2", 13: "PIPE", 14: "ALRM", 15: "TERM", 24: "XCPU", 25: "XFSZ", 31: "SYS",
}  # fmt: skip

FAULTS = frozenset({4, 5, 6, 7, 8, 11, 31})  # signals that a program brings upon itself

_RESULTS = {
    "exit-code": "ended with an error",
    "signal": "was ended by a signal",
    "core-dump": "crashed",
    "watchdog": "did not answer its watchdog in time",
    "timeout": "did not finish in time",
    "resources": "could not be given what it needs to start",
    "protocol": "did not follow the protocol of its type",
    "start-limit-hit": "was started too often in too short a time",
    "start-limit": "was started too often in too short a time",
    "oom-kill": "was killed for lack of memory",
    "exec-condition": "was skipped by its own condition",
}


def status_words(status: int) -> str:
    """An exit status in words: `status 203 (EXEC): its program could not be executed`."""
    if status in SETUP:
        name, what = SETUP[status]
        return f"status {status} ({name}): {what}"
    if status in _GENERAL:
        return f"status {status}, by convention {_GENERAL[status]}"
    if 129 <= status <= 128 + 31 and status - 128 in SIGNALS:
        return f"status {status}, by convention ended by SIG{SIGNALS[status - 128]}"
    return f"status {status}"


def signal_name(number: int) -> str:
    """A signal's name: `SIGKILL`, or `signal 40` where it has none here."""
    return f"SIG{SIGNALS[number]}" if number in SIGNALS else f"signal {number}"


def result_words(result: str) -> str:
    """The `Result=` of a unit in words that fit after the name of a unit."""
    return _RESULTS.get(result, f"ended with result {one_line(result, limit=40)}")
