//! From a message to a call and back.

use std::any::Any;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use zonestack_abi::{PROTO_MAX, PROTO_MIN};
use zonestack_core::component::{Component, RenderContext};
use zonestack_core::driver::{CallContext, Driver, DriverError, ErrorClass, Query, Target};
use zonestack_core::name::Kind;

use crate::host::{Host, within_call};
use crate::message::{
    Answer, Caller, CheckAnswer, CheckRequest, CreateRequest, DeleteRequest, DescribeRequest,
    Description, Failure, FinalCopyAnswer, FinalCopyRequest, Nothing, ObserveAnswer,
    ObserveRequest, OwnedAnswer, OwnedRequest, RenderAnswer, RenderRequest, UpdateRequest, method,
};
use crate::plugin::Plugin;

/// An answer: the body, or what went wrong.
pub(crate) type Outcome = Result<Vec<u8>, Failure>;

/// Answers calls.
pub(crate) trait Serve: Send + Sync {
    /// Answers one. Never unwinds.
    fn answer(
        self: Arc<Self>,
        call: u64,
        method: String,
        body: Vec<u8>,
    ) -> BoxFuture<'static, Outcome>;

    /// Whether a call of this method can be dropped at any await. The others compute, and end by themselves.
    fn can_be_dropped(&self, method: &str) -> bool;
}

/// A plugin that answers calls.
pub(crate) struct Server<P> {
    host: Host,
    components: BTreeMap<&'static str, Arc<dyn Component>>,
    drivers: OnceCell<Drivers>,
    plugin: PhantomData<P>,
}

/// The drivers, and which kind is driven by which.
struct Drivers {
    all: Vec<Arc<dyn Driver>>,
    by_kind: BTreeMap<Kind, usize>,
}

impl<P: Plugin> Server<P> {
    /// A server; `components` of the plugin is called here, and may panic.
    pub(crate) fn new(host: Host) -> Self {
        let components = P::components().into_iter();
        Self {
            host,
            components: components
                .map(|component| (component.describe().name, component))
                .collect(),
            drivers: OnceCell::new(),
            plugin: PhantomData,
        }
    }

    fn describe(&self, request: &DescribeRequest) -> Result<Description, Failure> {
        let proto = request.proto_max.min(PROTO_MAX);
        if proto < request.proto_min.max(PROTO_MIN) {
            let message = format!(
                "{} speaks the messages {PROTO_MIN} to {PROTO_MAX}, the host {} to {}",
                P::NAME,
                request.proto_min,
                request.proto_max
            );
            return Err(Failure::new(&ErrorClass::Unsupported, message));
        }
        let described = self.components.values().map(|component| component.describe());
        Ok(Description {
            proto,
            name: P::NAME.to_owned(),
            version: P::VERSION.to_owned(),
            features: Vec::new(),
            encodings: vec!["json".to_owned()],
            components: described.map(|described| (&described).into()).collect(),
            kinds: P::kinds().iter().map(Into::into).collect(),
        })
    }

    fn component(&self, name: &str) -> Result<&dyn Component, Failure> {
        self.components.get(name).map(AsRef::as_ref).ok_or_else(|| {
            Failure::new(
                &ErrorClass::Invalid,
                format!("{} has no component type {name:?}", P::NAME),
            )
        })
    }

    fn check(&self, request: &CheckRequest) -> Result<CheckAnswer, Failure> {
        let findings = self.component(&request.component_type)?.check(&request.config);
        Ok(CheckAnswer { findings: findings.into_iter().map(Into::into).collect() })
    }

    fn render(&self, request: &RenderRequest) -> Result<RenderAnswer, Failure> {
        let cx = RenderContext {
            component: &request.component,
            called: &request.called,
            context: &request.context,
            requirements: &request.requirements,
            consumers: request.consumers,
        };
        let rendered = self.component(&request.component_type)?.render(&request.config, &cx);
        Ok(RenderAnswer {
            resources: rendered.resources,
            exports: rendered.exports,
            findings: rendered.findings.into_iter().map(Into::into).collect(),
            outputs: rendered.outputs,
        })
    }

    async fn drivers(&self) -> Result<&Drivers, DriverError> {
        self.drivers
            .get_or_try_init(|| async {
                let all = P::drivers(self.host.clone()).await?;
                let of = |(place, driver): (usize, &Arc<dyn Driver>)| {
                    driver.kinds().into_iter().map(move |declared| (declared.kind, place))
                };
                let by_kind = all.iter().enumerate().flat_map(of).collect();
                Ok(Drivers { all, by_kind })
            })
            .await
    }

    fn context<'a>(&'a self, caller: &'a Caller) -> CallContext<'a> {
        CallContext { owner: &caller.owner, secrets: &self.host, taken_over: &caller.taken_over }
    }

    async fn observe(&self, request: ObserveRequest) -> Result<ObserveAnswer, Failure> {
        let drivers = self.drivers().await?;
        let mut asked: BTreeMap<usize, (Vec<usize>, Vec<Query>)> = BTreeMap::new();
        let mut answers: Vec<Option<Answer>> = Vec::new();
        for (place, query) in request.queries.into_iter().enumerate() {
            answers.push(None);
            match drivers.place(&query.target) {
                Ok(driver) => {
                    let (places, queries) = asked.entry(driver).or_default();
                    places.push(place);
                    queries.push(query);
                }
                Err(error) => answers[place] = Some(Err(error).into()),
            }
        }
        let cx = self.context(&request.caller);
        for (driver, (places, queries)) in asked {
            let found = drivers.all[driver].observe(cx, &queries).await;
            for (place, answer) in places.into_iter().zip(found) {
                answers[place] = Some(answer.into());
            }
        }
        let silent = || {
            Answer::Error(Failure::new(&ErrorClass::Bug, "the driver gave no answer to a query"))
        };
        let answers = answers.into_iter().map(|answer| answer.unwrap_or_else(silent)).collect();
        Ok(ObserveAnswer { answers })
    }

    async fn drive(&self, name: &str, body: &[u8]) -> Outcome {
        match name {
            method::OBSERVE => written(&self.observe(read(body)?).await?),
            method::CREATE => {
                let request: CreateRequest = read(body)?;
                let driver = self.drivers().await?.of(&request.target)?;
                let cx = self.context(&request.caller);
                written(&driver.create(cx, &request.target, &request.spec).await?)
            }
            method::UPDATE => {
                let request: UpdateRequest = read(body)?;
                let driver = self.drivers().await?.of(&request.target)?;
                let (cx, target) = (self.context(&request.caller), &request.target);
                driver.update(cx, target, &request.spec, &request.differences).await?;
                written(&Nothing {})
            }
            method::DELETE => {
                let request: DeleteRequest = read(body)?;
                let driver = self.drivers().await?.of(&request.target)?;
                let cx = self.context(&request.caller);
                driver.delete(cx, &request.target, &request.deletion).await?;
                written(&Nothing {})
            }
            method::FINAL_COPY => {
                let request: FinalCopyRequest = read(body)?;
                let driver = self.drivers().await?.of(&request.target)?;
                let cx = self.context(&request.caller);
                let status = driver.final_copy(cx, &request.target, &request.name).await?;
                written(&FinalCopyAnswer { status })
            }
            method::OWNED => {
                let request: OwnedRequest = read(body)?;
                let mut owned = Vec::new();
                for driver in &self.drivers().await?.all {
                    owned.extend(driver.owned(self.context(&request.caller)).await?);
                }
                written(&OwnedAnswer { owned })
            }
            other => Err(Failure::new(
                &ErrorClass::Unsupported,
                format!("{} was built with an SDK that does not know the call {other:?}", P::NAME),
            )),
        }
    }

    fn compute(&self, name: &str, body: &[u8]) -> Outcome {
        match name {
            method::DESCRIBE => written(&self.describe(&read(body)?)?),
            method::CHECK => written(&self.check(&read(body)?)?),
            _ => written(&self.render(&read(body)?)?),
        }
    }
}

impl<P: Plugin> Serve for Server<P> {
    fn answer(
        self: Arc<Self>,
        call: u64,
        method: String,
        body: Vec<u8>,
    ) -> BoxFuture<'static, Outcome> {
        async move {
            let caught = if self.can_be_dropped(&method) {
                let driven = self.drive(&method, &body);
                std::panic::AssertUnwindSafe(driven).catch_unwind().await
            } else {
                // Author's code that computes must not stand in the way of other calls.
                let compute = move || within_call(call, || self.compute(&method, &body));
                spawn_blocking(compute).await.map_err(|error| match error.try_into_panic() {
                    Ok(panic) => panic,
                    Err(error) => Box::new(error.to_string()),
                })
            };
            caught.unwrap_or_else(|panic| {
                let message = format!("the plugin {} panicked: {}", P::NAME, said(panic.as_ref()));
                Err(Failure::new(&ErrorClass::Bug, message))
            })
        }
        .boxed()
    }

    fn can_be_dropped(&self, name: &str) -> bool {
        !matches!(name, method::DESCRIBE | method::CHECK | method::RENDER)
    }
}

impl Drivers {
    fn place(&self, target: &Target) -> Result<usize, DriverError> {
        self.by_kind.get(&target.kind).copied().ok_or_else(|| {
            let message =
                format!("{}: no driver of this plugin drives the kind {}", target.id, target.kind);
            DriverError::new(ErrorClass::Bug, message)
        })
    }

    fn of(&self, target: &Target) -> Result<&dyn Driver, DriverError> {
        Ok(self.all[self.place(target)?].as_ref())
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        Failure::new(&ErrorClass::Invalid, format!("the request cannot be read: {error}"))
    })
}

fn written(answer: &impl Serialize) -> Outcome {
    serde_json::to_vec(answer).map_err(|error| {
        Failure::new(&ErrorClass::Bug, format!("the answer cannot be written: {error}"))
    })
}

/// What a panic says.
pub(crate) fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}
