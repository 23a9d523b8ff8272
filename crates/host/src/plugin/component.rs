//! A component type whose checks and rendering happen in the plugin.

use serde_json::Value as Json;
use zonestack_core::component::{Component, ComponentType, RenderContext, Rendered};
use zonestack_core::diagnostic::{Finding, Severity};
use zonestack_core::name::ComponentName;
use zonestack_core::resource::Resource;
use zonestack_sdk::message::{
    CheckAnswer, CheckRequest, FindingMessage, RenderAnswer, RenderRequest, method,
};

use super::RemotePlugin;
use crate::call::CallError;
use crate::description::keep;

/// The code of what went wrong with the plugin itself.
const CODE: &str = "plugin";
/// The longest code of a finding that is kept.
const CODE_MAX: usize = 64;

/// A component type of a plugin.
pub(super) struct RemoteComponent {
    plugin: RemotePlugin,
    described: ComponentType,
}

impl RemoteComponent {
    pub(super) fn new(plugin: RemotePlugin, described: ComponentType) -> Self {
        Self { plugin, described }
    }

    /// What went wrong, as a reason to refuse the stack: nothing of it is made.
    fn broken(&self, method: &str, error: &CallError) -> Finding {
        let name = self.plugin.name();
        let asked = format!("asked to {method} `{}`", self.described.name);
        let message = match error {
            CallError::Failed(failure) => {
                format!("{} (the plugin {name}, {asked})", failure.message)
            }
            _ => format!("the plugin {name} {error} ({asked})"),
        };
        let hint = match error {
            CallError::Load(_) => {
                "`zonestack plugin info` shows what the file is; rebuild the plugin, or update zonestack"
            }
            CallError::Failed(_) | CallError::Unreadable(_) => {
                "this is a mistake in the plugin: report it to its author, with the stack file"
            }
            _ => {
                "run it again with -v to see what the plugin says; report it to its author, or use another component type"
            }
        };
        Finding::error(CODE, "", message).hint(hint)
    }

    /// A mistake that nobody else would notice.
    fn mistake(&self, what: &str) -> Finding {
        let message = format!("the plugin {}: {what}", self.plugin.name());
        Finding::error(CODE, "", message)
            .hint("this is a mistake in the plugin: report it to its author")
    }

    fn findings(&self, messages: Vec<FindingMessage>) -> Vec<Finding> {
        messages.into_iter().map(|message| self.finding(message)).collect()
    }

    fn finding(&self, message: FindingMessage) -> Finding {
        let listed = self.described.advisories.iter().find(|code| **code == message.code);
        if message.severity == Severity::Advisory && listed.is_none() {
            let what =
                format!("it reports the advisory {:?}, which it does not declare", message.code);
            return self.mistake(&what);
        }
        let fits = message.code.len() <= CODE_MAX;
        Finding {
            severity: message.severity,
            code: if fits { keep(&message.code) } else { CODE },
            path: message.path,
            message: message.message,
            hint: message.hint,
        }
    }

    /// Resources that are not the component's own would be owned, kept and deleted with another.
    fn strangers(&self, resources: &[Resource], component: &ComponentName) -> Vec<Finding> {
        let strange = resources.iter().filter(|resource| resource.id.component != *component);
        strange
            .map(|resource| {
                let id = &resource.id;
                self.mistake(&format!("it renders {id} for the component {component}"))
            })
            .collect()
    }
}

impl Component for RemoteComponent {
    fn describe(&self) -> ComponentType {
        self.described.clone()
    }

    fn check(&self, config: &Json) -> Vec<Finding> {
        let component_type = self.described.name.to_owned();
        let request = CheckRequest { component_type, config: config.clone() };
        let limit = self.plugin.0.options.limits.render;
        match self.plugin.0.compute::<CheckAnswer>(method::CHECK, &request, limit) {
            Ok(answer) => self.findings(answer.findings),
            Err(error) => vec![self.broken("check", &error)],
        }
    }

    fn render(&self, config: &Json, cx: &RenderContext<'_>) -> Rendered {
        let request = RenderRequest {
            component_type: self.described.name.to_owned(),
            config: config.clone(),
            component: cx.component.clone(),
            called: cx.called.clone(),
            context: cx.context.clone(),
            requirements: cx.requirements.clone(),
            consumers: cx.consumers,
        };
        let limit = self.plugin.0.options.limits.render;
        match self.plugin.0.compute::<RenderAnswer>(method::RENDER, &request, limit) {
            Ok(answer) => {
                let mut findings = self.findings(answer.findings);
                findings.extend(self.strangers(&answer.resources, cx.component));
                // What is adopted is for the core to say.
                let own = |resource| Resource { adopt: None, ..resource };
                Rendered {
                    resources: answer.resources.into_iter().map(own).collect(),
                    exports: answer.exports,
                    findings,
                    outputs: answer.outputs,
                }
            }
            Err(error) => {
                Rendered { findings: vec![self.broken("render", &error)], ..Rendered::default() }
            }
        }
    }
}
