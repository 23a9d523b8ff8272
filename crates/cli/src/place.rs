//! Where a command works: AWS and Kubernetes, or the sandbox. Everything behind the core's contracts.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use zonestack_aws::client::{AwsOptions, load};
use zonestack_aws::network::Ec2Network;
use zonestack_core::clock::Clock;
use zonestack_core::flow::Site;
use zonestack_core::inventory::InventoryStore as _;
use zonestack_core::name::ComponentName;
use zonestack_core::observe::World;
use zonestack_core::run_options::Options;
use zonestack_core::secret::{SecretError, SecretRef, SecretSource, Sensitive};
use zonestack_core::stack::{Network, Stack};
use zonestack_host::services::Services;
use zonestack_kubernetes::client::{KubeOptions, connect};
use zonestack_kubernetes::inventory::ConfigMapInventory;
use zonestack_kubernetes::lease::LeaseInNamespace;
use zonestack_kubernetes::secrets::KubernetesSecrets;
use zonestack_kubernetes::survey::KubernetesCluster;
use zonestack_sandbox::{NetworkIds, Options as SandboxOptions, Pace, Sandbox, WallClock, Zones};

use crate::extensions::Extensions;
use crate::failure::Failure;
use crate::plugin_services::AwsServices;
use crate::report::scrubber::remember;
use crate::settings::{Settings, Where, variable, variables};

/// The site, and what differs between a real one and a model.
pub(crate) struct Place {
    /// The site.
    pub(crate) site: Site,
    /// What the engine's pauses are here: the first and the longest.
    polls: (Duration, Duration),
    /// Whether it is a model.
    pub(crate) is_sandbox: bool,
}

/// Whose place it is.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    /// The stack's name.
    pub(crate) stack: String,
    /// Its namespace.
    pub(crate) namespace: String,
    /// The region, when it is known before the inventory is read.
    pub(crate) region: Option<String>,
    /// The cluster's name.
    pub(crate) cluster: String,
    /// The zones that the stack file names.
    pub(crate) zones: Option<Vec<String>>,
    /// The network that the stack file names.
    pub(crate) network: Network,
    /// The components that the stack file has.
    pub(crate) components: Vec<ComponentName>,
}

impl Tenant {
    /// As the flow of a removal wants it.
    pub(crate) fn for_removal(&self) -> zonestack_core::flow::Tenant<'_> {
        zonestack_core::flow::Tenant {
            stack: &self.stack,
            namespace: &self.namespace,
            region: self.region.as_deref().unwrap_or_default(),
            cluster: &self.cluster,
        }
    }

    pub(crate) fn of(stack: &Stack) -> Self {
        Self {
            stack: stack.name.to_string(),
            namespace: stack.namespace.clone(),
            region: Some(stack.region.clone()),
            cluster: stack.cluster.clone(),
            zones: stack
                .zones
                .as_ref()
                .map(|zones| zones.iter().map(ToString::to_string).collect()),
            network: stack.network.clone(),
            components: stack.components.iter().map(|component| component.name.clone()).collect(),
        }
    }
}

impl Place {
    /// Opens it, with the drivers of what the stack uses and of what it remembers.
    pub(crate) async fn open(
        settings: &Settings,
        tenant: &Tenant,
        extensions: &mut Extensions,
    ) -> Result<Self, Failure> {
        match &settings.place {
            Where::Sandbox { file, pace, zones } => {
                let pace: Pace = pace.parse().map_err(|error| Failure::Usage {
                    message: format!("--sandbox-pace {pace}: {error}"),
                    hint: String::new(),
                })?;
                sandbox(file, pace, *zones, tenant, extensions).await
            }
            Where::Real { context, kubeconfig, profile } => {
                let options =
                    KubeOptions { kubeconfig: kubeconfig.clone(), context: context.clone() };
                real(options, profile.clone(), tenant, extensions).await
            }
        }
    }

    /// The engine's options here.
    pub(crate) fn options(&self, parallel: usize) -> Options {
        let (poll_first, poll_max) = self.polls;
        Options { parallel, poll_first, poll_max, call_timeout: Duration::from_mins(1) }
    }
}

async fn real(
    options: KubeOptions,
    profile: Option<String>,
    tenant: &Tenant,
    extensions: &mut Extensions,
) -> Result<Place, Failure> {
    for name in ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        remember(&variable(name).unwrap_or_default());
    }
    let client = connect(options).await?;
    let store = ConfigMapInventory::new(client.clone(), &tenant.namespace, &tenant.stack);
    extensions.load_for_stored(&store).await?;
    let region = match &tenant.region {
        Some(region) => region.clone(),
        None => match store.load().await? {
            Some((inventory, _)) => inventory.region,
            None => return Err(nothing(tenant)),
        },
    };
    let aws = load(AwsOptions { region, profile, user_agent: None }).await?;
    let env = Arc::new(|name: &str| variable(name));
    let file = Arc::new(|path: &str| std::fs::read_to_string(path));
    let secrets = Watched(KubernetesSecrets::new(client.clone(), &tenant.namespace, env, file));
    let clock: Arc<dyn Clock> = Arc::new(WallClock::new());
    let lease = LeaseInNamespace::new(client.clone(), &tenant.namespace, &tenant.stack);
    let mut drivers = extensions.builtins.drivers(&aws, client.clone());
    let endpoint_urls = variables("AWS_ENDPOINT_URL_");
    let services: Arc<dyn Services> =
        Arc::new(AwsServices::new(&aws, endpoint_urls, Arc::clone(&clock)));
    drivers.extend(extensions.drivers(&services));
    let site = Site {
        world: World::new(drivers, Arc::new(secrets), clock),
        cluster: Box::new(KubernetesCluster::new(client)),
        network: Box::new(Ec2Network::new(&aws)),
        store: Box::new(store),
        lease: Box::new(lease),
    };
    Ok(Place {
        site,
        polls: (Duration::from_millis(500), Duration::from_secs(15)),
        is_sandbox: false,
    })
}

/// The failure when a stack that is only known by name is not there.
pub(crate) fn nothing(tenant: &Tenant) -> Failure {
    Failure::Refused {
        message: format!(
            "there is no stack {} in the namespace {}",
            tenant.stack, tenant.namespace
        ),
        hint: "look at the cluster (--context), the stack's name and its namespace".to_owned(),
    }
}

/// Every value that is read is taken out of messages from then on.
struct Watched<S>(S);

impl<S: SecretSource> SecretSource for Watched<S> {
    fn resolve<'a>(
        &'a self,
        reference: &'a SecretRef,
    ) -> BoxFuture<'a, Result<Sensitive<String>, SecretError>> {
        async move {
            let value = self.0.resolve(reference).await?;
            remember(value.expose());
            Ok(value)
        }
        .boxed()
    }
}

async fn sandbox(
    file: &std::path::Path,
    pace: Pace,
    zones: Option<u8>,
    tenant: &Tenant,
    extensions: &mut Extensions,
) -> Result<Place, Failure> {
    let region = tenant.region.clone().unwrap_or_else(|| "eu-west-1".to_owned());
    let mut options = SandboxOptions::new(&region, &tenant.cluster);
    options.pace = Some(pace);
    options.zones = match (zones, &tenant.zones) {
        (Some(count), _) => Zones::Count(count),
        (None, Some(names)) => Zones::Named(names.clone()),
        // The cluster that the stack file means has a zone for each subnet that it names.
        (None, None) => match tenant.network.subnets.len() {
            0 => Zones::Count(3),
            subnets => Zones::Count(u8::try_from(subnets).unwrap_or(u8::MAX)),
        },
    };
    options.network = NetworkIds {
        vpc: tenant.network.vpc.clone(),
        subnets: tenant.network.subnets.clone(),
        security_groups: tenant.network.security_groups.clone(),
    };
    let clock: Arc<dyn Clock> = Arc::new(WallClock::new());
    let sandbox = Sandbox::open(file, &options, Arc::clone(&clock))?;
    let env = Arc::new(|name: &str| Ok(variable(name)));
    let read = Arc::new(|path: &str| match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    });
    let secrets = Watched(sandbox.secrets(&tenant.namespace, env, read));
    let store = sandbox.inventory(&tenant.stack, &tenant.namespace);
    extensions.load_for_stored(&store).await?;
    // The kinds of plugins are played too, from their declarations.
    let drivers = vec![Arc::new(sandbox.driver(extensions.kinds())) as _];
    let polls = match pace {
        Pace::Real => (Duration::from_millis(500), Duration::from_secs(15)),
        Pace::Shortened | Pace::Instant => (Duration::from_millis(20), Duration::from_millis(200)),
    };
    let site = Site {
        world: World::new(drivers, Arc::new(secrets), clock),
        cluster: Box::new(sandbox.cluster(&tenant.cluster)),
        network: Box::new(sandbox.network(&region)),
        store: Box::new(store),
        lease: Box::new(sandbox.lease(&tenant.stack, &tenant.namespace)),
    };
    Ok(Place { site, polls, is_sandbox: true })
}
