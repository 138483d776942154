//! The URL of a queue.

use crate::password;
use crate::sql_error::error;
use percent_encoding::percent_decode_str;
use queue_store_host::Result;
use queue_store_host::types::ErrorCode;
use std::collections::HashSet;
use std::env;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// The beginnings of a URL.
pub(crate) const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// Options of libpq that sessions use, beside those that are parsed here.
const PASSED_ON: [&str; 9] =
    ["application_name", "channel_binding", "dbname", "host", "options", "password", "port", "sslnegotiation", "user"];

/// Seconds that a call may take: a day.
const MAX_TIMEOUT_SECONDS: u64 = 86_400;

/// Connections of a queue: more than a server has by far.
const MAX_CONNECTIONS: usize = 10_000;

/// The port of a server where none is given.
const DEFAULT_PORT: u16 = 5432;

/// What the durability `full` of a call means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FullDurability {
    /// The synchronous standbys flushed it.
    Replicated,
    /// The synchronous standbys show it to readers.
    RemoteApply,
    /// The primary flushed it.
    SingleNode,
}

/// A server.
pub(crate) struct Node {
    /// Its name and port, for people.
    pub(crate) name: String,
    pub(crate) config: Config,
}

/// A queue in a database, and how to get there.
pub(crate) struct Address {
    /// The servers, each with what a session needs.
    pub(crate) nodes: Vec<Node>,
    pub(crate) queue: String,
    pub(crate) full: FullDurability,
    /// The longest time of a call.
    pub(crate) timeout: Duration,
    /// Sessions at once.
    pub(crate) connections: usize,
    pub(crate) root_certificates: Option<PathBuf>,
}

impl Address {
    /// Parses a URL, and takes from the environment what it leaves out.
    pub(crate) fn parse(url: &str) -> Result<Address> {
        let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
        let (base, query) = split_options(rest).ok_or_else(|| {
            error(
                ErrorCode::InvalidArgument,
                "the URL of the database has an `@` elsewhere than between user and host: there it is written %40, and `/`, `?` \
                 and `#` in a password as %2F, %3F and %23",
            )
        })?;
        let mut address = Address {
            nodes: Vec::new(),
            queue: "default".to_string(),
            full: FullDurability::Replicated,
            timeout: Duration::from_secs(30),
            connections: 16,
            root_certificates: from_environment("PGSSLROOTCERT").map(PathBuf::from),
        };
        let (mut names, mut options, mut mode) = (HashSet::new(), Vec::new(), None);
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            if !names.insert(name) {
                return Err(invalid(name, "is given twice"));
            }
            let decoded = percent_decode_str(value).decode_utf8().map_err(|_| invalid(name, "is not UTF-8"))?;
            match name {
                "queue" => address.queue = queue_name(&decoded)?,
                "durability" => address.full = full_durability(&decoded)?,
                "timeout" => address.timeout = Duration::from_secs(number(name, &decoded, MAX_TIMEOUT_SECONDS)?),
                "connections" => address.connections = number(name, &decoded, MAX_CONNECTIONS)?,
                "sslrootcert" => address.root_certificates = Some(PathBuf::from(decoded.as_ref())),
                "sslmode" => mode = Some(ssl_mode(&decoded)?),
                // Only such a server is ever used.
                "target_session_attrs" if matches!(&*decoded, "read-write" | "primary") => {}
                _ if PASSED_ON.contains(&name) => options.push(option),
                _ => return Err(invalid(name, "is none of its options, or has a value that is not supported")),
            }
        }
        let mut config = Config::from_str(&format!("{scheme}://{base}?{}", options.join("&"))).map_err(|cause| {
            let reason = std::error::Error::source(&cause).map_or_else(|| cause.to_string(), ToString::to_string);
            error(ErrorCode::InvalidArgument, format!("the URL of the database cannot be parsed: {reason}"))
        })?;
        if mode.is_none()
            && let Some(name) = from_environment("PGSSLMODE")
        {
            mode = Some(ssl_mode(&name)?);
        }
        config.ssl_mode(mode.unwrap_or(SslMode::Prefer));
        address.nodes = nodes(&config)?;
        Ok(address)
    }
}

/// Returns a URL with `***` in the place of its passwords.
pub(crate) fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
    let Some((base, query)) = split_options(rest) else {
        // The password cannot be told from the rest.
        return format!("{scheme}://***");
    };
    let mut text = match base.split_once('@') {
        Some((user, place)) => {
            let user = user.split_once(':').map_or_else(|| user.to_string(), |(user, _)| format!("{user}:***"));
            format!("{scheme}://{user}@{place}")
        }
        None => format!("{scheme}://{base}"),
    };
    if !query.is_empty() {
        let hide = |option: &str| {
            let name = option.split_once('=').map_or(option, |(name, _)| name);
            let is_password = percent_decode_str(name).decode_utf8_lossy() == "password";
            if is_password { "password=***".to_string() } else { option.to_string() }
        };
        text = format!("{text}?{}", query.split('&').map(hide).collect::<Vec<_>>().join("&"));
    }
    text
}

/// Splits what follows the scheme before its options. None where an `@` is elsewhere than once, after the user: a password would
/// be taken for something that is shown.
fn split_options(rest: &str) -> Option<(&str, &str)> {
    let place_of_hosts = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (hosts, path) = rest.split_at(place_of_hosts);
    let is_clear = hosts.matches('@').count() <= 1 && !path.contains('@');
    is_clear.then(|| rest.split_once('?').unwrap_or((rest, "")))
}

/// Makes a configuration for each server that a URL names, so that one that does not answer costs its own time alone.
fn nodes(config: &Config) -> Result<Vec<Node>> {
    let mut hosts = config.get_hosts().to_vec();
    if hosts.is_empty() {
        hosts.push(Host::Tcp(from_environment("PGHOST").unwrap_or_else(|| "localhost".to_string())));
    }
    // The client splits the hosts before the path of a URL, and not those of an option.
    let split = |host| match host {
        Host::Tcp(names) => names.split(',').map(|name| Host::Tcp(name.to_string())).collect(),
        path => vec![path],
    };
    let hosts: Vec<Host> = hosts.into_iter().flat_map(split).collect();
    let mut ports = config.get_ports().to_vec();
    if ports.is_empty() {
        let numbers = from_environment("PGPORT").unwrap_or_else(|| DEFAULT_PORT.to_string());
        ports = numbers.split(',').map(|port| number("PGPORT", port, u16::MAX)).collect::<Result<_>>()?;
    }
    let port = |place: usize| if ports.len() == 1 { ports.first() } else { ports.get(place) };
    let more_hosts = || error(ErrorCode::InvalidArgument, "there are more hosts of the database than ports");
    let nodes = hosts.iter().enumerate();
    nodes.map(|(place, host)| node(config, host, *port(place).ok_or_else(more_hosts)?)).collect()
}

/// Returns the value of a variable that is set and not empty.
fn from_environment(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn node(config: &Config, host: &Host, port: u16) -> Result<Node> {
    let mut single = Config::new();
    let name = match host {
        Host::Tcp(name) if name.starts_with('/') => {
            single.host_path(name);
            name.clone()
        }
        Host::Tcp(name) => {
            single.host(name);
            name.clone()
        }
        Host::Unix(path) => {
            single.host_path(path);
            path.display().to_string()
        }
    };
    single.port(port);
    let user = config.get_user().map(str::to_string).or_else(|| from_environment("PGUSER"));
    let user = user.or_else(|| from_environment("USER")).unwrap_or_else(|| "postgres".to_string());
    let database = config.get_dbname().map(str::to_string).or_else(|| from_environment("PGDATABASE"));
    let database = database.unwrap_or_else(|| user.clone());
    single.user(&user).dbname(&database).ssl_mode(config.get_ssl_mode()).ssl_negotiation(config.get_ssl_negotiation());
    single.channel_binding(config.get_channel_binding());
    single.application_name(config.get_application_name().unwrap_or("queue-store"));
    if let Some(options) = config.get_options() {
        single.options(options);
    }
    let password = match config.get_password() {
        Some(password) => Some(password.to_vec()),
        None => match from_environment("PGPASSWORD") {
            Some(password) => Some(password.into_bytes()),
            None => password::find(&name, port, &database, &user)?.map(String::into_bytes),
        },
    };
    if let Some(password) = password {
        single.password(password);
    }
    // A server that vanished is noticed by the timeout of a call; this ends its connection.
    single.keepalives_idle(Duration::from_secs(30)).tcp_user_timeout(Duration::from_secs(60));
    Ok(Node { name: format!("{name}:{port}"), config: single })
}

fn queue_name(name: &str) -> Result<String> {
    if name.is_empty() || name.contains('\0') || name.len() > 255 {
        return Err(invalid("queue", "is empty, has a NUL, or is longer than 255 bytes"));
    }
    Ok(name.to_string())
}

fn full_durability(name: &str) -> Result<FullDurability> {
    match name {
        "replicated" => Ok(FullDurability::Replicated),
        "remote-apply" => Ok(FullDurability::RemoteApply),
        "single-node" => Ok(FullDurability::SingleNode),
        _ => Err(invalid("durability", "is none of replicated, remote-apply, single-node")),
    }
}

fn ssl_mode(mode: &str) -> Result<SslMode> {
    match mode {
        "disable" => Ok(SslMode::Disable),
        "prefer" => Ok(SslMode::Prefer),
        "require" | "verify-full" => Ok(SslMode::Require),
        _ => Err(invalid("sslmode", "is none of disable, prefer, require, verify-full")),
    }
}

fn number<T: Copy + Default + Display + FromStr + PartialOrd>(name: &str, value: &str, most: T) -> Result<T> {
    let number = value.parse().ok().filter(|number| (T::default()..=most).contains(number) && *number != T::default());
    number.ok_or_else(|| invalid(name, &format!("is no number from 1 to {most}")))
}

fn invalid(name: &str, reason: &str) -> queue_store_host::Error {
    error(ErrorCode::InvalidArgument, format!("`{name}` of the database's URL {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Address {
        Address::parse(url).expect("the URL is good")
    }

    #[test]
    fn url_names_nodes_queue_and_limits() {
        let address = parse("postgres://q:secret@db1,db2:5433/mail?queue=out%20going&timeout=5&connections=3");
        let names: Vec<&str> = address.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["db1:5432", "db2:5433"]);
        assert_eq!(
            (address.queue.as_str(), address.timeout, address.connections),
            ("out going", Duration::from_secs(5), 3)
        );
        let config = &address.nodes[1].config;
        assert_eq!((config.get_user(), config.get_dbname()), (Some("q"), Some("mail")));
        assert_eq!(config.get_password(), Some(b"secret".as_slice()));
    }

    #[test]
    fn full_durability_is_replicated_unless_the_url_says_otherwise() {
        assert_eq!(parse("postgres://q@db/mail").full, FullDurability::Replicated);
        assert_eq!(parse("postgresql://q@db/mail?durability=single-node").full, FullDurability::SingleNode);
    }

    #[test]
    fn bad_urls_are_refused_by_the_name_of_what_is_wrong() {
        for (url, word) in [
            ("postgres://db/mail?queue=", "`queue`"),
            ("postgres://db/mail?queue=a&queue=b", "`queue`"),
            ("postgres://db/mail?timeout=0", "`timeout`"),
            ("postgres://db/mail?durability=full", "replicated, remote-apply, single-node"),
            ("postgres://db/mail?colour=red", "`colour`"),
            ("postgres://db/mail?hostaddr=127.0.0.1", "`hostaddr`"),
            ("postgres://db/mail?target_session_attrs=any", "`target_session_attrs`"),
            ("postgres:///mail?host=db1,db2,db3&port=1,2", "port"),
            ("postgres://db:port/mail", "port"),
            ("postgres://db/mail?timeout=9223372036854775807", "1 to 86400"),
            ("postgres://db/mail?connections=18446744073709551615", "1 to 10000"),
        ] {
            let error = Address::parse(url).err().expect("the URL is refused");
            assert_eq!(error.code(), Some(ErrorCode::InvalidArgument), "{url}");
            assert!(error.to_string().contains(word), "{url}: {error}");
        }
    }

    #[test]
    fn password_is_not_shown() {
        for (url, shown) in [
            ("postgres://q:a%3Fb@db/mail?timeout=1", "postgres://q:***@db/mail?timeout=1"),
            ("postgres://q:a?b@db/mail?timeout=1", "postgres://***"),
            ("postgres://q:secr@et@db/mail", "postgres://***"),
            ("postgres://q:secr@e/t@db/mail", "postgres://***"),
            ("postgres:///mail?user=a@b&password=secret", "postgres://***"),
            ("postgres://q@db/mail?pass%77ord=secret&queue=x", "postgres://q@db/mail?password=***&queue=x"),
            ("postgres://db/mail", "postgres://db/mail"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn password_is_in_no_error() {
        for url in [
            "postgres://q:secret@db:port/mail",
            "postgres://q:p@secret@db/mail",
            "postgres://q:p@secret@db1,db2/mail",
            "postgres://q:p@s?secret@db/mail",
            "postgres://q:p@secret/word@db/mail",
            "postgres:///mail?user=a@b&password=secret",
        ] {
            let error = Address::parse(url).err().expect("the URL is refused");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
