//! A third party's plugin: one component and one driver, which does what its target's name says.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it misbehaves on purpose"
)]

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use zonestack_sdk::core::driver::Owner;
use zonestack_sdk::core::interface::{Export, InterfaceName};
use zonestack_sdk::prelude::*;

/// Settings of `tiny`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// How many things.
    #[serde(default)]
    #[schemars(range(max = 12))]
    things: u32,
}

struct Tiny;

const KIND: &str = "tiny.thing";

impl TypedComponent for Tiny {
    type Settings = Settings;

    fn describe(&self) -> ComponentType {
        ComponentType {
            name: "tiny",
            summary: "Things of a test",
            provides: vec!["tiny/v1"],
            requires: Vec::new(),
            advisories: vec!["many-things"],
            schema: Json::Null,
        }
    }

    fn check(&self, settings: &Settings) -> Vec<Finding> {
        println!("a word on stdout that must not break the protocol");
        assert!(settings.things != 13, "thirteen things");
        let many =
            || Finding::advisory("many-things", "things", "so many things").hint("take fewer");
        (settings.things > 3).then(many).into_iter().collect()
    }

    fn render(&self, settings: &Settings, cx: &RenderContext<'_>) -> Rendered {
        let thing = |index| {
            let spec = json!({ "index": index, "tags": {} });
            Resource::new(cx.id(&format!("thing-{index}")), KIND, spec)
        };
        let tiny = InterfaceName::new("tiny/v1").unwrap();
        Rendered {
            resources: (0..settings.things).map(thing).collect(),
            exports: vec![Export::Other(tiny, json!({ "things": settings.things }).into())],
            ..Rendered::default()
        }
    }
}

/// A thing of a service that is in the plugin's memory.
struct Thing {
    owner: Owner,
    id: ResourceId,
    spec: Json,
    /// How often it was looked at: it grows meanwhile.
    looks: u32,
}

/// What has a name does what its name says; what has none is made, by its token, and is there until it is deleted.
struct TinyDriver {
    host: Host,
    made: Mutex<BTreeMap<String, Thing>>,
}

impl TinyDriver {
    fn made(&self) -> MutexGuard<'_, BTreeMap<String, Thing>> {
        self.made.lock().unwrap()
    }

    /// The id of what a target means.
    fn remote_id(target: &Target) -> Option<String> {
        let of_token = || target.token.as_ref().map(|token| format!("thing-of-{token}"));
        target.remote_id.clone().or_else(of_token)
    }

    fn look(&self, owner: &Owner, query: &Query) -> Observation {
        let mut made = self.made();
        let found = Self::remote_id(&query.target).and_then(|id| Some((made.get_mut(&id)?, id)));
        let Some((thing, id)) = found else { return Observation::absent() };
        thing.looks += 1;
        let is_ready = thing.looks > 2;
        Observation {
            status: if is_ready { Status::Ready } else { Status::Pending("growing".to_owned()) },
            outputs: is_ready.then(|| ("parent".to_owned(), json!(id))).into_iter().collect(),
            remote_id: Some(id),
            ownership: if thing.owner.uid == owner.uid {
                Ownership::Ours
            } else {
                Ownership::Foreign
            },
            attributes: query.spec.as_ref().map_or(Json::Null, |spec| project(spec, &thing.spec)),
        }
    }

    /// Does what the name says.
    async fn act(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        spec: &Json,
    ) -> Result<Created, DriverError> {
        let Some(name) = target.name.as_deref() else {
            let Some(id) = Self::remote_id(&Target { remote_id: None, ..target.clone() }) else {
                return Err(DriverError::new(ErrorClass::Invalid, "a thing needs a token"));
            };
            let new = || Thing {
                owner: cx.owner.clone(),
                id: target.id.clone(),
                spec: spec.clone(),
                looks: 0,
            };
            self.made().entry(id.clone()).or_insert_with(new);
            return Ok(Created { remote_id: Some(id) });
        };
        let found = match name {
            "panic" => panic!("this is the panic of a test"),
            "abort" => std::process::abort(),
            "sleep" => {
                self.host.checkpoint(&json!({ "remote_id": "thing-7" }));
                // Never ends, and can be dropped.
                std::future::pending().await
            }
            "clock" => Some(self.host.now().await?),
            "secret" => {
                let reference = zonestack_sdk::core::value::as_secret(&spec["password"]).unwrap();
                let value = cx.secrets.resolve(&reference).await;
                let value = value
                    .map_err(|error| DriverError::new(ErrorClass::Invalid, error.to_string()))?;
                Some(format!("{} characters", value.expose().len()))
            }
            "denied" => {
                let class = ErrorClass::Denied(Some("tiny:Create".to_owned()));
                return Err(DriverError::new(class, "not allowed to make things"));
            }
            "credentials" => {
                let config = self.host.aws_config().await?;
                let region = config.region().map(ToString::to_string).unwrap_or_default();
                Some(format!("{region} at {}", config.endpoint_url().unwrap_or_default()))
            }
            other => Some(format!("made {other}")),
        };
        Ok(Created { remote_id: found })
    }
}

impl Driver for TinyDriver {
    fn kinds(&self) -> Vec<KindDeclaration> {
        TinyPlugin::kinds()
    }

    fn observe<'a>(
        &'a self,
        cx: CallContext<'a>,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Observation, DriverError>>> {
        Box::pin(async move {
            let answer = |query: &Query| match query.target.name.as_deref() {
                None => Ok(self.look(cx.owner, query)),
                Some("absent") => Ok(Observation::absent()),
                Some("denied") => Err(DriverError::new(ErrorClass::Denied(None), "not yours")),
                Some("abort") => std::process::abort(),
                name => Ok(Observation {
                    status: Status::Pending("growing".to_owned()),
                    remote_id: name.map(str::to_owned),
                    ownership: Ownership::Ours,
                    attributes: query.spec.clone().unwrap_or_default(),
                    outputs: [("parent".to_owned(), json!(query.target.parent))].into(),
                }),
            };
            queries.iter().map(answer).collect()
        })
    }

    fn create<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
    ) -> BoxFuture<'a, Result<Created, DriverError>> {
        Box::pin(self.act(cx, target, spec))
    }

    fn update<'a>(
        &'a self,
        cx: CallContext<'a>,
        _target: &'a Target,
        _spec: &'a Json,
        differences: &'a [Difference],
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        Box::pin(async move {
            let message =
                format!("{} {:?} for {}", differences.len(), differences[0], cx.owner.stack);
            Err(DriverError::new(ErrorClass::Busy, message))
        })
    }

    fn delete<'a>(
        &'a self,
        _cx: CallContext<'a>,
        target: &'a Target,
        deletion: &'a Deletion,
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        Box::pin(async move {
            match &deletion.final_copy {
                None => {
                    if let Some(id) = Self::remote_id(target).filter(|_| target.name.is_none()) {
                        self.made().remove(&id);
                    }
                    Ok(())
                }
                Some(copy) => Err(DriverError::new(ErrorClass::Dependency, copy.clone())),
            }
        })
    }

    fn final_copy<'a>(
        &'a self,
        _cx: CallContext<'a>,
        _target: &'a Target,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Status, DriverError>> {
        Box::pin(async move { Ok(Status::Busy(name.to_owned())) })
    }

    fn owned<'a>(&'a self, cx: CallContext<'a>) -> BoxFuture<'a, Result<Vec<Owned>, DriverError>> {
        Box::pin(async move {
            let asked = Owned {
                kind: Kind::new(KIND),
                id: None,
                uid: cx.owner.uid.clone(),
                cluster: None,
                name: Some(cx.owner.stack.clone()),
                remote_id: Some(format!("{:?}", cx.taken_over)),
            };
            let made = self.made();
            let ours = made.iter().filter(|(_, thing)| thing.owner.stack == cx.owner.stack);
            let made = ours.map(|(id, thing)| Owned {
                kind: Kind::new(KIND),
                id: Some(thing.id.clone()),
                uid: thing.owner.uid.clone(),
                cluster: None,
                name: None,
                remote_id: Some(id.clone()),
            });
            Ok([asked].into_iter().chain(made).collect())
        })
    }
}

/// The plugin.
struct TinyPlugin;

impl Plugin for TinyPlugin {
    const NAME: &'static str = "tiny";
    const VERSION: &'static str = "0.1.0";

    fn components() -> Vec<Arc<dyn Component>> {
        vec![Arc::new(Tiny)]
    }

    fn kinds() -> Vec<KindDeclaration> {
        let minute = Duration::from_mins(1);
        vec![KindDeclaration {
            kind: Kind::new(KIND),
            identity: Identity::Token,
            tagging: Tagging::OnCreate,
            marks_at: Some("/tags"),
            data: DataClass::Stateless,
            fields: vec![FieldRule::new("/index", Effect::Replace).up_only()],
            protection: Some("/protected"),
            final_copy: false,
            restores_from: Some("/snapshot"),
            replaces_dependents: false,
            ready_within: minute,
            delete_within: 2 * minute,
            read_after_write: Duration::from_millis(1500),
            outputs: vec!["parent"],
            iam_actions: vec!["tiny:Create"],
            model: Model {
                id: "thing-{hex8}",
                outputs: vec![("parent", "{id}")],
                creating: vec!["growing"],
                create: minute / 2,
                update: minute,
                delete: minute,
            },
        }]
    }

    fn drivers(host: Host) -> BoxFuture<'static, Result<Vec<Arc<dyn Driver>>, DriverError>> {
        Box::pin(async move {
            let driver: Arc<dyn Driver> = Arc::new(TinyDriver { host, made: Mutex::default() });
            Ok(vec![driver])
        })
    }
}

zonestack_sdk::export!(TinyPlugin);
