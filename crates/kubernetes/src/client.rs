//! A client of a cluster, from a kubeconfig, as `kubectl` finds it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use http::header::{HeaderValue, USER_AGENT};
use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};

use crate::failure::ApiFailure;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an answer may take: longer than the 60 s of B.4.3 is never useful, and the API server itself gives up a
/// request after that.
const ANSWER: Duration = Duration::from_mins(1);

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("zonestack/", env!("CARGO_PKG_VERSION")));

/// Which cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubeOptions {
    /// The kubeconfig file; without one `KUBECONFIG`, then `~/.kube/config`, then the service account of the pod.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it; without one the current one.
    pub context: Option<String>,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No kubeconfig was found, and zonestack does not run in a pod.
    #[error(
        "no kubeconfig found: {looked}, and this is not a pod of a cluster. Name one with --kubeconfig or KUBECONFIG"
    )]
    NoKubeconfig {
        /// Where it was looked for.
        looked: String,
    },
    /// The kubeconfig cannot be read.
    #[error("the kubeconfig cannot be read: {0}")]
    ReadKubeconfig(KubeconfigError),
    /// The context is not in the kubeconfig.
    #[error("the kubeconfig has no context {context:?}; {known}")]
    UnknownContext {
        /// What was asked for.
        context: String,
        /// What is there, the most alike first.
        known: String,
    },
    /// No context was asked for, and the kubeconfig has no current one.
    #[error("the kubeconfig has no current context: name one with --context; {known}")]
    NoContext {
        /// What is there.
        known: String,
    },
    /// The context does not lead to a usable client.
    #[error("the kubeconfig's context {context:?} cannot be used: {reason}")]
    Configure {
        /// The context.
        context: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody answers.
    #[error(
        "the Kubernetes API of {context:?} at {server} cannot be reached: {reason}. Is the cluster up, and the VPN on?"
    )]
    Unreachable {
        /// The context.
        context: String,
        /// The API server's address.
        server: String,
        /// What the connection said.
        reason: String,
    },
    /// Somebody answers, but not as wanted.
    #[error(
        "the Kubernetes API of {context:?} at {server} refuses us: {reason}. Does `kubectl get nodes` work?"
    )]
    Refused {
        /// The context.
        context: String,
        /// The API server's address.
        server: String,
        /// Its words.
        reason: String,
    },
}

/// Makes a client and asks the API server for its version once, so that what is wrong with the connection is said here.
pub async fn connect(options: KubeOptions) -> Result<kube::Client, ConnectError> {
    // kube and the AWS SDK each bring rustls: one provider is named before either looks for one (lab.md, 3). When there
    // is one already, it is the same.
    rustls::crypto::ring::default_provider().install_default().ok();
    let (context, mut config) = configuration(options).await?;
    config.headers.push((USER_AGENT, AGENT));
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(ANSWER);
    config.write_timeout = Some(ANSWER);
    config.reset_reader_on_write = true;
    // Retries are the engine's: kube would send a creation again after a 504 that may have had its effect.
    config.default_retry = false;
    let server = config.cluster_url.to_string();
    let client = kube::Client::try_from(config).map_err(|error| ConnectError::Configure {
        context: context.clone(),
        reason: error.to_string(),
    })?;
    match client.apiserver_version().await.map_err(ApiFailure::from) {
        Ok(_) => Ok(client),
        Err(ApiFailure::NotSent(reason) | ApiFailure::Unanswered(reason)) => {
            Err(ConnectError::Unreachable { context, server, reason })
        }
        // A right to read the version is not needed for anything else.
        Err(failure) if failure.code() == 403 => Ok(client),
        Err(failure) => Err(ConnectError::Refused { context, server, reason: failure.to_string() }),
    }
}

/// The context's name and its configuration.
async fn configuration(options: KubeOptions) -> Result<(String, Config), ConnectError> {
    let read = match &options.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let looked = match &read {
        Err(KubeconfigError::FindPath) => Some("there is no home directory".to_owned()),
        Err(KubeconfigError::ReadConfig(error, path))
            if error.kind() == io::ErrorKind::NotFound =>
        {
            Some(format!("{} does not exist", path.display()))
        }
        _ => None,
    };
    if let Some(looked) = looked {
        let asked = options.kubeconfig.is_some() || options.context.is_some();
        return match Config::incluster() {
            Ok(config) if !asked => Ok(("in-cluster".to_owned(), config)),
            _ => Err(ConnectError::NoKubeconfig { looked }),
        };
    }
    let kubeconfig = read.map_err(ConnectError::ReadKubeconfig)?;
    let context = choose(&kubeconfig, options.context)?;
    let chosen =
        KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
    match Config::from_custom_kubeconfig(kubeconfig, &chosen).await {
        Ok(config) => Ok((context, config)),
        Err(error) => Err(ConnectError::Configure { context, reason: error.to_string() }),
    }
}

fn choose(kubeconfig: &Kubeconfig, asked: Option<String>) -> Result<String, ConnectError> {
    let mut names: Vec<&str> = kubeconfig.contexts.iter().map(|c| c.name.as_str()).collect();
    let current = kubeconfig.current_context.clone().filter(|name| !name.is_empty());
    let Some(context) = asked.or(current) else {
        return Err(ConnectError::NoContext { known: known(&names) });
    };
    if names.contains(&context.as_str()) {
        return Ok(context);
    }
    names.sort_by_key(|name| distance(name, &context));
    Err(ConnectError::UnknownContext { context, known: known(&names) })
}

fn known(names: &[&str]) -> String {
    match names {
        [] => "it has no contexts at all".to_owned(),
        names => {
            let more = if names.len() > 5 { ", …" } else { "" };
            let first: Vec<&str> = names.iter().take(5).copied().collect();
            format!("it has {}{more}", first.join(", "))
        }
    }
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubeconfig(current: &str) -> Kubeconfig {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: \"{current}\"\ncontexts:\n\
             - {{name: prod.example.net, context: {{cluster: c}}}}\n- {{name: dev.example.net, context: {{cluster: c}}}}\n\
             clusters:\n- {{name: c, cluster: {{server: \"http://127.0.0.1:1\"}}}}\n"
        );
        Kubeconfig::from_yaml(&text).unwrap()
    }

    #[test]
    fn the_current_context_is_used_unless_another_is_asked_for() {
        assert_eq!(choose(&kubeconfig("dev.example.net"), None).unwrap(), "dev.example.net");
        let asked = Some("prod.example.net".to_owned());
        assert_eq!(choose(&kubeconfig("dev.example.net"), asked).unwrap(), "prod.example.net");
    }

    #[test]
    fn a_wrong_context_lists_those_that_are_most_alike() {
        let error = choose(&kubeconfig(""), Some("dev.exmple.net".to_owned())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the kubeconfig has no context \"dev.exmple.net\"; it has dev.example.net, prod.example.net"
        );
        let error = choose(&kubeconfig(""), None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the kubeconfig has no current context: name one with --context; it has prod.example.net, dev.example.net"
        );
    }

    #[tokio::test]
    async fn a_missing_kubeconfig_is_named() {
        let path = std::env::temp_dir().join("zonestack-no-such-kubeconfig");
        let options = KubeOptions { kubeconfig: Some(path.clone()), context: None };
        let error = connect(options).await.map(drop).unwrap_err().to_string();
        assert!(error.contains(&format!("{} does not exist", path.display())), "{error}");
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_unreachable() {
        // Nothing listens on port 1.
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig("dev.example.net"), &options);
        let client = kube::Client::try_from(config.await.unwrap()).unwrap();
        let failure = ApiFailure::from(client.apiserver_version().await.unwrap_err());
        assert!(matches!(&failure, ApiFailure::NotSent(_)), "{failure:?}");
    }
}
