//! The plugin under test: how it is loaded, and what it renders to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use zonestack_core::component::{Component, RenderContext};
use zonestack_core::context::Context;
use zonestack_core::desired::{self, Desired};
use zonestack_core::diagnostic::{Diagnostic, Severity};
use zonestack_core::interface::Export;
use zonestack_core::kind::KindDeclaration;
use zonestack_core::name::{ComponentName, Kind, StackName, Zone};
use zonestack_core::parse::parse;
use zonestack_core::registry::{RegisteredType, Registry};
use zonestack_core::rename::Called;
use zonestack_core::resource::Resource;
use zonestack_core::wire::{Wiring, validate_and_wire};
use zonestack_host::plugin::{Description, Isolation, Limits, LoadOptions, RemotePlugin};
use zonestack_sdk::message::RenderRequest;

use crate::generate;
use crate::random::Random;
use crate::verdict::{Stop, failed, not_applicable};

/// How long things may take under test: longer than in a run, because the machine may be busy with other laws. That rendering
/// keeps the limit of a run is a law of its own.
pub(crate) const LIMITS: Limits = Limits {
    load: Duration::from_secs(20),
    render: Duration::from_secs(10),
    call: Duration::from_secs(30),
    grace: Duration::from_secs(5),
    restarts: 0,
};

/// The cluster that everything is tried with.
pub(crate) const CLUSTER: &str = "kit.example.com";
/// The region.
pub(crate) const REGION: &str = "eu-west-1";
/// The stack.
pub(crate) const STACK: &str = "kit";
/// The component of the type under test.
pub(crate) const COMPONENT: &str = "it";
/// How many generated settings are looked at for one that renders something.
const ATTEMPTS: usize = 200;

/// What the program brings itself: what the plugin meets on.
pub struct Builtins {
    /// Its component types.
    pub components: Vec<Arc<dyn Component>>,
    /// Every kind that it drives.
    pub kinds: Vec<KindDeclaration>,
}

/// What is tested, as one law sees it.
pub(crate) struct Subject {
    /// This program, which is started again to load the plugin.
    pub(crate) program: PathBuf,
    /// The copy under test. Its file is called as the author's is.
    pub(crate) library: PathBuf,
    /// Its SHA-256.
    pub(crate) sha256: String,
    /// The plugin's name, from its card.
    pub(crate) name: String,
    /// What chance follows from.
    pub(crate) seed: u64,
    /// Settings that the author gave.
    pub(crate) given: Option<Json>,
    /// What is built in.
    pub(crate) builtins: Builtins,
}

impl Subject {
    /// Chance, as this law has it.
    pub(crate) fn random(&self) -> Random {
        Random::new(self.seed)
    }

    /// The plugin in a process of its own.
    pub(crate) fn plugin(&self, limits: Limits) -> Result<RemotePlugin, Stop> {
        let options =
            LoadOptions { program: self.program.clone(), isolation: Isolation::Child, limits };
        RemotePlugin::open(&self.library, &self.sha256, &self.name, options)
            .map_err(|error| Stop::Failed(error.to_string()))
    }

    /// The same, started and described.
    pub(crate) fn loaded(&self) -> Result<Loaded<'_>, Stop> {
        self.loaded_within(LIMITS)
    }

    /// The same, with other limits.
    pub(crate) fn loaded_within(&self, limits: Limits) -> Result<Loaded<'_>, Stop> {
        let plugin = self.plugin(limits)?;
        let description = plugin.describe().map_err(|error| Stop::Failed(error.to_string()))?;
        let own = plugin.components(&description);
        let kinds = plugin.kinds(&description);
        let names: BTreeSet<&str> = own.iter().map(|component| component.describe().name).collect();
        let others = self.builtins.components.iter();
        // That it is called like one is another law's to tell.
        let others = others.filter(|component| !names.contains(component.describe().name));
        let all: Vec<Arc<dyn Component>> = others.chain(&own).cloned().collect();
        let registry = Registry::new(all).map_err(|clash| Stop::Failed(clash.to_string()))?;
        let builtin = self.builtins.kinds.iter().chain(&kinds);
        let declarations = builtin.map(|kind| (kind.kind.clone(), kind.clone())).collect();
        Ok(Loaded { subject: self, plugin, description, kinds, registry, declarations })
    }
}

/// The plugin, running.
pub(crate) struct Loaded<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) plugin: RemotePlugin,
    pub(crate) description: Description,
    /// The kinds that it drives.
    pub(crate) kinds: Vec<KindDeclaration>,
    pub(crate) registry: Registry,
    /// Every kind that there is.
    pub(crate) declarations: BTreeMap<Kind, KindDeclaration>,
}

/// What settings come to.
pub(crate) enum Rendering {
    /// A graph: that of the whole stack.
    Graph(Box<Desired>),
    /// They are refused, and why.
    Refused(Vec<String>),
}

/// Settings with what they render to.
pub(crate) struct Example {
    /// The component type.
    pub(crate) component: String,
    /// The settings.
    pub(crate) config: Json,
    /// The graph of the whole stack.
    pub(crate) desired: Desired,
}

impl Example {
    /// What the component under test renders.
    pub(crate) fn own(&self) -> impl Iterator<Item = &Resource> {
        own(&self.desired)
    }
}

/// What the component under test renders.
pub(crate) fn own(desired: &Desired) -> impl Iterator<Item = &Resource> {
    desired.resources.iter().filter(|resource| resource.id.component.as_str() == COMPONENT)
}

impl Loaded<'_> {
    /// Its component types.
    pub(crate) fn types(&self) -> Result<Vec<&RegisteredType>, Stop> {
        let names = self.description.components.iter().map(|component| component.name.as_str());
        let types: Vec<_> = names.filter_map(|name| self.registry.get(name)).collect();
        if types.is_empty() { not_applicable("it has no component types") } else { Ok(types) }
    }

    /// A stack file with components of this type and settings, called so, and with what they require. JSON is YAML.
    pub(crate) fn stack_file(
        &self,
        tested: &RegisteredType,
        config: &Json,
        called: &[&str],
    ) -> Result<String, Stop> {
        let mut components = Map::new();
        let mut needs = Map::new();
        for (index, requirement) in tested.described.requires.iter().enumerate() {
            let provider = self.provider(tested, requirement.interface)?;
            let name = format!("provider-{index}");
            components.insert(name.clone(), json!({ "use": provider.described.name }));
            needs.insert(requirement.name.to_owned(), json!(name));
        }
        for name in called {
            let mut component = json!({ "use": tested.described.name, "with": config });
            if !needs.is_empty() {
                component["needs"] = Json::Object(needs.clone());
            }
            components.insert((*name).to_owned(), component);
        }
        Ok(json!({
            "apiVersion": "zonestack/v1",
            "name": STACK,
            "cluster": CLUSTER,
            "region": REGION,
            "components": components,
        })
        .to_string())
    }

    /// What is built in, provides an interface, and needs nothing itself.
    fn provider(&self, tested: &RegisteredType, interface: &str) -> Result<&RegisteredType, Stop> {
        let found = self.registry.types().find(|found| {
            found.described.provides.contains(&interface)
                && found.described.requires.is_empty()
                && found.described.name != tested.described.name
        });
        found.map_or_else(
            || {
                not_applicable(format!(
                    "nothing that is built in provides {interface}, which `{}` requires",
                    tested.described.name
                ))
            },
            Ok,
        )
    }

    /// Wires a stack file; the reasons when it is refused.
    pub(crate) fn wired(&self, text: &str) -> Result<Result<Wiring, Vec<String>>, Stop> {
        let wired = parse(text.as_bytes()).and_then(|raw| validate_and_wire(&raw, &self.registry));
        match wired {
            Ok(wiring) => Ok(Ok(wiring)),
            Err(diagnostics) => {
                none_of_the_plugin(&diagnostics, text)?;
                Ok(Err(told(&diagnostics)))
            }
        }
    }

    /// What a stack with these settings comes to, in so many zones.
    pub(crate) fn rendered(
        &self,
        tested: &RegisteredType,
        config: &Json,
        zones: usize,
    ) -> Result<Rendering, Stop> {
        let text = self.stack_file(tested, config, &[COMPONENT])?;
        self.rendered_text(&text, zones)
    }

    /// What a stack file comes to.
    pub(crate) fn rendered_text(&self, text: &str, zones: usize) -> Result<Rendering, Stop> {
        let wiring = match self.wired(text)? {
            Ok(wiring) => wiring,
            Err(reasons) => return Ok(Rendering::Refused(reasons)),
        };
        let context = context(zones)?;
        let desired = desired::render(&wiring, &context, &self.declarations, &Called::new());
        let desired =
            desired.map_err(|error| Stop::Failed(format!("{error}; of {}", shortened(text))))?;
        none_of_the_plugin(&desired.findings, text)?;
        let errors: Vec<Diagnostic> = desired.errors().cloned().collect();
        if errors.is_empty() {
            Ok(Rendering::Graph(Box::new(desired)))
        } else {
            Ok(Rendering::Refused(told(&errors)))
        }
    }

    /// Settings that its author means to work: given on the command line, the schema's examples, none at all.
    pub(crate) fn meant(&self, tested: &RegisteredType) -> Vec<Json> {
        let mut meant: Vec<Json> = self.subject.given.iter().cloned().collect();
        if meant.is_empty() {
            let schema = &tested.described.schema;
            meant.extend(schema["examples"].as_array().into_iter().flatten().cloned());
            if schema["required"].as_array().is_none_or(Vec::is_empty) {
                meant.push(json!({}));
            }
        }
        meant
    }

    /// Settings that render something of the component's own: those that are meant, or the first of chance. Of several types
    /// the first that has some.
    pub(crate) fn example(&self) -> Result<Example, Stop> {
        let mut why = Vec::new();
        for tested in self.types()? {
            let mut random = self.subject.random();
            let schema = &tested.described.schema;
            let meant = self.meant(tested).into_iter().map(Some);
            let made = (0..ATTEMPTS).map(|_| generate::settings(schema, &mut random));
            for config in meant.chain(made).flatten() {
                match self.rendered(tested, &config, 3) {
                    Ok(Rendering::Graph(desired)) if own(&desired).next().is_some() => {
                        let component = tested.described.name.to_owned();
                        return Ok(Example { component, config, desired: *desired });
                    }
                    Ok(Rendering::Graph(_)) => {}
                    Ok(Rendering::Refused(reasons)) => why = reasons,
                    Err(Stop::NotApplicable(reason)) => {
                        why = vec![reason];
                        break;
                    }
                    Err(stop) => return Err(stop),
                }
            }
        }
        let why = why.first().map(|why| format!("; the last: {why}")).unwrap_or_default();
        not_applicable(format!(
            "no settings were found that render a resource: give some with --with FILE{why}"
        ))
    }

    /// The registered type of an example.
    pub(crate) fn type_of(&self, example: &Example) -> Result<&RegisteredType, Stop> {
        let found = self.registry.get(&example.component);
        found.map_or_else(|| failed("its description has changed"), Ok)
    }

    /// The message that asks to render these settings, outside of any stack.
    pub(crate) fn request(
        &self,
        tested: &RegisteredType,
        config: &Json,
        zones: usize,
    ) -> Result<RenderRequest, Stop> {
        let context = context(zones)?;
        let component = component_name(COMPONENT)?;
        let mut requirements = BTreeMap::new();
        for requirement in &tested.described.requires {
            let provider = self.provider(tested, requirement.interface)?;
            let called = component_name("provider")?;
            let cx = RenderContext {
                component: &called,
                called: &called,
                context: &context,
                requirements: &BTreeMap::new(),
                consumers: 1,
            };
            let exports = provider.component.render(&json!({}), &cx).exports;
            let fits = |export: &Export| export.interface().as_str() == requirement.interface;
            let Some(export) = exports.into_iter().find(fits) else {
                return not_applicable(format!(
                    "`{}` exports nothing without settings",
                    provider.described.name
                ));
            };
            requirements.insert(requirement.name.to_owned(), export);
        }
        Ok(RenderRequest {
            component_type: tested.described.name.to_owned(),
            config: config.clone(),
            component: component.clone(),
            called: component,
            context,
            requirements,
            consumers: 1,
        })
    }
}

fn component_name(text: &str) -> Result<ComponentName, Stop> {
    text.parse().map_err(|error| Stop::Failed(format!("{error}")))
}

/// So many zones of the region, with what a cluster usually has.
pub(crate) fn context(zones: usize) -> Result<Context, Stop> {
    let letters = ('a'..='z').take(zones);
    let zones: Vec<Zone> =
        letters.filter_map(|letter| format!("{REGION}{letter}").parse().ok()).collect();
    let stack: StackName = STACK.parse().map_err(|error| Stop::Failed(format!("{error}")))?;
    let mut context = Context::nominal(stack, STACK, REGION, &zones);
    // What is rendered for real, not what `validate` shows.
    context.is_nominal = false;
    CLUSTER.clone_into(&mut context.cluster.name);
    context.cluster.load_balancer_controller = true;
    context.cluster.efs_csi_driver = true;
    Ok(context)
}

/// What the host says of a plugin that crashes, hangs or breaks a rule comes as a finding of this code.
const OF_THE_PLUGIN: &str = "plugin";

fn none_of_the_plugin(diagnostics: &[Diagnostic], text: &str) -> Result<(), Stop> {
    match diagnostics.iter().find(|diagnostic| diagnostic.code == OF_THE_PLUGIN) {
        Some(found) => failed(format!("{}; of {}", found.message, shortened(text))),
        None => Ok(()),
    }
}

fn told(diagnostics: &[Diagnostic]) -> Vec<String> {
    let errors = diagnostics.iter().filter(|found| found.severity == Severity::Error);
    errors.map(|found| found.message.clone()).collect()
}

/// As much of a text as fits a message.
pub(crate) fn shortened(text: &str) -> String {
    const MOST: usize = 400;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
