"""The parts that stories are built from: a site in nginx, an application, a service, PHP, a name server, a neighbour.

Everything lies where Debian puts it. In a guest with systemd programs are units; in a light one they just run.
"""

from __future__ import annotations

from pathlib import Path

from tests.lab.guest import Guest, until

SERVER = Path(__file__).with_name("server.py")
PROGRAM = "/opt/shop/server.py"
PYTHON = "/usr/bin/python3"
QUICK = "proxy_connect_timeout 2s;\n        proxy_read_timeout 2s;"
UNIT = """[Unit]
Description={description}
After=network.target

[Service]
User=www-data
{lines}
ExecStart={start}

[Install]
WantedBy=multi-user.target
"""


def proxy(target: str, *more: str, quick: bool = True) -> str:
    """The inside of a location that passes requests on. `quick` is a timeout that a test can wait for."""
    lines = [f"proxy_pass {target};", "proxy_set_header Host $host;", *([QUICK] if quick else []), *more]
    return "\n        ".join(lines)


def site(
    guest: Guest,
    location: str,
    *,
    name: str = "shop",
    server_name: str = "shop.example",
    listen: str = "80",
    before: str = "",
    inside: str = "",
) -> None:
    """A file in sites-available and its link. `before` stands outside of the server block, `inside` in it."""
    text = f"""{before}
server {{
    listen {listen};
    server_name {server_name};
    {inside}
    location / {{
        {location}
    }}
}}
"""
    guest.write(f"/etc/nginx/sites-available/{name}", text.lstrip())
    guest.run(f"rm -f /etc/nginx/sites-enabled/default; ln -sf ../sites-available/{name} /etc/nginx/sites-enabled/")


def edit(guest: Guest, path: str, old: str, new: str) -> None:
    """Changes a file as a person would."""
    text = guest.read(path)
    assert old in text, f"{path} does not contain {old!r}"
    guest.write(path, text.replace(old, new))


def start_nginx(guest: Guest) -> None:
    """Starts it and waits for its listener."""
    guest.run("systemctl start nginx" if guest.systemd else "nginx")


def stop_nginx(guest: Guest) -> None:
    """Stops it and waits until it is gone."""
    guest.run("systemctl stop nginx" if guest.systemd else "nginx -s quit")
    until(lambda: not guest.exists("/run/nginx.pid"), seconds=5)


def restart_nginx(guest: Guest) -> None:
    """Stops and starts it."""
    stop_nginx(guest)
    start_nginx(guest)


def reload_nginx(guest: Guest) -> None:
    """Reloads it and waits until the old workers have gone."""
    old = workers(guest)
    guest.run("systemctl reload nginx" if guest.systemd else "nginx -s reload")
    until(lambda: bool(workers(guest)) and not old & workers(guest), seconds=5)


def workers(guest: Guest) -> set[str]:
    """The pids of nginx's workers."""
    return set(guest.run("pgrep -f '^nginx: worker process'", check=False).out.split())


def service(
    guest: Guest,
    start: str,
    *lines: str,
    name: str = "shop",
    description: str = "Shop application",
    enabled: bool = True,
) -> None:
    """Writes a unit. `lines` are further settings of its [Service] section. It is not started."""
    unit = f"/etc/systemd/system/{name}.service"
    guest.write(unit, UNIT.format(description=description, start=start, lines="\n".join(lines)))
    if enabled:
        guest.run(f"ln -sf {unit} /etc/systemd/system/multi-user.target.wants/")
    guest.run("systemctl daemon-reload")


def program(guest: Guest, path: str = PROGRAM) -> str:
    """Copies the lab's server into the guest and returns the command that starts it."""
    guest.write(path, SERVER.read_text(), mode=0o755)
    return f"{PYTHON} {path}"


def app(guest: Guest, options: str = "", *lines: str, listen: str = "127.0.0.1:8000", name: str = "shop") -> int:
    """Runs the application and waits for its listener. Returns its pid (0 where systemd runs it).

    In a guest with systemd it is the unit `name`.service with `lines` in its [Service] section.
    """
    start = f"{program(guest)} --listen {listen} {options}".rstrip()
    pid = 0
    if guest.systemd:
        service(guest, start, *lines, name=name)
        guest.run(f"systemctl start {name}")
    else:
        pid = guest.spawn(
            f"setpriv --reuid=www-data --regid=www-data --clear-groups {start}", log=f"/var/log/{name}.log"
        )
    guest.await_listener(listener_of(listen))
    return pid


def listener_of(listen: str) -> str:
    """`127.0.0.1:8000` as the port, `unix:/run/app.sock` as the path."""
    return listen.removeprefix("unix:") if listen.startswith("unix:") else listen.rpartition(":")[2]


def end(guest: Guest, pid: int, signal: str = "TERM") -> None:
    """Ends a program that the story started, and waits until it is gone."""
    guest.run(f"kill -{signal} {pid}")
    until(lambda: not guest.exists(f"/proc/{pid}"), seconds=5)


def folder(guest: Guest, path: str, *, owner: str = "www-data:www-data", mode: str = "755") -> None:
    """Makes a folder."""
    guest.run(f"mkdir -p {path} && chown {owner} {path} && chmod {mode} {path}")


def names(guest: Guest, *lines: str) -> int:
    """Runs dnsmasq on 127.0.0.1 with these records (`address=/name/ip` and the like), and returns its pid."""
    text = "\n".join(
        ["listen-address=127.0.0.1", "bind-interfaces", "no-resolv", "no-hosts", "local=/internal/", *lines]
    )
    guest.write("/etc/dnsmasq.d/lab.conf", text + "\n")
    if guest.systemd:
        guest.run("systemctl restart dnsmasq")
    else:
        guest.run("mkdir -p /run/dnsmasq; dnsmasq --conf-dir=/etc/dnsmasq.d,*.conf --pid-file=/run/dnsmasq/dnsmasq.pid")
    until(lambda: guest.exists("/run/dnsmasq/dnsmasq.pid"), seconds=5)
    return int(guest.read("/run/dnsmasq/dnsmasq.pid"))


def neighbour(guest: Guest) -> None:
    """A second host at 10.77.0.2 on the same segment; the guest is 10.77.0.1."""
    guest.run(
        "ip netns add app1 && ip link add eth1 type veth peer name eth0 netns app1"
        " && ip address add 10.77.0.1/24 dev eth1 && ip link set eth1 up"
        " && ip -n app1 address add 10.77.0.2/24 dev eth0 && ip -n app1 link set eth0 up && ip -n app1 link set lo up"
    )


def app_on_neighbour(guest: Guest, listen: str = "0.0.0.0:8000", options: str = "") -> int:
    """Runs the application on the second host and returns its pid."""
    log = "/var/log/neighbour.log"
    start = f"{program(guest)} --listen {listen} {options}"
    pid = guest.spawn(f"ip netns exec app1 setpriv --reuid=www-data --regid=www-data --clear-groups {start}", log=log)
    until(lambda: "listening" in guest.read(log), seconds=5)
    return pid


def nft(guest: Guest, chain: str, *rules: str, policy: str = "accept", name: str = "filter") -> None:
    """A table `inet NAME` with one chain (`output`, `input`), added to what is there."""
    lines = [f"type filter hook {chain} priority 0; policy {policy};", *rules]
    text = f"table inet {name} {{\nchain {chain} {{\n" + "\n".join(lines) + "\n}\n}\n"
    guest.run("nft -f -", given=text)


def php(guest: Guest, *pool: str, listen: str = "/run/php/php8.2-fpm.sock") -> None:
    """Runs PHP-FPM with Debian's pool, `pool` appended to it."""
    conf = "/etc/php/8.2/fpm/pool.d/www.conf"
    edit(guest, conf, "listen = /run/php/php8.2-fpm.sock", f"listen = {listen}")
    guest.write(conf, guest.read(conf) + "\n".join(["", *pool, ""]))
    guest.write("/var/www/html/index.php", '<?php echo "the shop is open\\n";\n')
    guest.run(
        "systemctl start php8.2-fpm" if guest.systemd else "php-fpm8.2 --fpm-config /etc/php/8.2/fpm/php-fpm.conf"
    )
    guest.await_listener(listen if listen.startswith("/") else listen.rpartition(":")[2])


def php_site(guest: Guest, target: str = "unix:/run/php/php8.2-fpm.sock", *more: str) -> None:
    """A site that hands every `.php` to PHP-FPM."""
    lines = [
        "include snippets/fastcgi-php.conf;",
        f"fastcgi_pass {target};",
        "fastcgi_connect_timeout 2s;",
        "fastcgi_read_timeout 2s;",
        *more,
    ]
    inside = "root /var/www/html;\n    index index.php;\n    location ~ \\.php$ {\n        "
    site(guest, "try_files $uri $uri/ =404;", inside=inside + "\n        ".join(lines) + "\n    }")
