//! [`Stack`] → [`Wiring`]: which component fulfils which requirement, and in what order components come.

mod order;

use std::collections::{BTreeMap, BTreeSet};

use crate::component::Requirement;
use crate::diagnostic::{Diagnostic, Span};
use crate::name::ComponentName;
use crate::parse::RawStack;
use crate::registry::Registry;
use crate::stack::{Stack, StackComponent};
use crate::suggest;
use crate::validate::{Examined, in_file_order};
use crate::yaml::fault;

/// A stack whose components are wired.
#[derive(Debug, Clone)]
pub struct Wiring {
    /// The stack, its components in the file's order.
    pub stack: Stack,
    /// Its components again, each after all that it requires, in the file's order where that leaves a choice.
    pub order: Vec<Wired>,
}

/// How one component is wired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wired {
    /// The component.
    pub component: ComponentName,
    /// What fulfils each of its requirements, by the requirement's name. Every requirement is there.
    pub providers: BTreeMap<String, ComponentName>,
    /// How many components require this one.
    pub consumers: usize,
}

impl Wiring {
    /// The components in order, each with its wires.
    pub fn components(&self) -> impl Iterator<Item = (&StackComponent, &Wired)> {
        self.order.iter().filter_map(|wired| Some((self.stack.component(&wired.component)?, wired)))
    }
}

/// Wires a stack: explicitly where `needs:` says so, otherwise by the one component that provides what is required.
///
/// # Errors
/// All at once, in the file's order: unknown names in `needs:`, a requirement that nothing or several components fulfil, a
/// component that requires itself, a circle of components.
pub fn wire(stack: Stack, registry: &Registry) -> Result<Wiring, Vec<Diagnostic>> {
    let (wires, mut faults) = resolve(&stack.components, registry);
    let (order, circles) = order::order(&stack.components, &wires);
    faults.extend(circles);
    if !faults.is_empty() {
        in_file_order(&mut faults);
        return Err(faults);
    }
    let name = |index: &usize| stack.components[*index].name.clone();
    let entry = |index: usize| Wired {
        component: name(&index),
        providers: wires[index]
            .iter()
            .map(|(requirement, provider)| (requirement.clone(), name(provider)))
            .collect(),
        consumers: wires.iter().filter(|wires| wires.values().any(|at| *at == index)).count(),
    };
    let order = order.into_iter().map(entry).collect();
    Ok(Wiring { stack, order })
}

/// Validates and wires, so that a file with faults of both sorts has them all reported at once. Where a component has no known
/// type, wiring is left out: what it says would follow from that.
///
/// # Errors
/// Those of [`crate::validate::validate`] and of [`wire`] together.
pub fn validate_and_wire(raw: &RawStack, registry: &Registry) -> Result<Wiring, Vec<Diagnostic>> {
    let mut examined = Examined::new(raw, registry);
    if examined.complete {
        let (wires, mut faults) = resolve(&examined.components, registry);
        faults.extend(order::order(&examined.components, &wires).1);
        examined.report(faults);
    }
    wire(examined.finish()?, registry)
}

/// The provider of each requirement of each component, both by index. A requirement with a fault has none.
type Wires = Vec<BTreeMap<String, usize>>;

fn resolve(components: &[StackComponent], registry: &Registry) -> (Wires, Vec<Diagnostic>) {
    let mut faults = Vec::new();
    let wires = components
        .iter()
        .enumerate()
        .map(|(index, component)| {
            let resolver = Resolver { components, registry, index, component };
            let mut found = resolver.unknown_requirements();
            let mut wires = BTreeMap::new();
            for requirement in &component.described.requires {
                match resolver.provider(requirement) {
                    Ok(provider) => {
                        wires.insert(requirement.name.to_owned(), provider);
                    }
                    Err(fault) => found.push(fault),
                }
            }
            for fault in &mut found {
                fault.component = Some(component.name.clone());
            }
            faults.append(&mut found);
            wires
        })
        .collect();
    (wires, faults)
}

struct Resolver<'c> {
    components: &'c [StackComponent],
    registry: &'c Registry,
    /// The component that is wired.
    index: usize,
    component: &'c StackComponent,
}

impl Resolver<'_> {
    fn unknown_requirements(&self) -> Vec<Diagnostic> {
        let known: Vec<&str> = self.component.described.requires.iter().map(|r| r.name).collect();
        let unknown = self.component.needs.keys().filter(|name| !known.contains(&name.as_str()));
        unknown
            .map(|name| {
                let span = self.places(name).0;
                let message = format!(
                    "`{}` has no requirement `{name}`: component type `{}` knows {}",
                    self.component.name,
                    self.component.type_name,
                    suggest::listed(known.iter().copied(), "and")
                );
                let near = suggest::nearest(name, known.iter().copied());
                let hint = near.map_or_else(
                    || "remove it from `needs`".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                fault("unknown-requirement", span, message).hint(hint)
            })
            .collect()
    }

    fn places(&self, requirement: &str) -> (Option<Span>, Option<Span>) {
        self.component.places.needs.get(requirement).copied().unwrap_or_default()
    }

    fn provider(&self, requirement: &Requirement) -> Result<usize, Diagnostic> {
        match self.component.needs.get(requirement.name) {
            Some(named) => self.explicit(requirement, named),
            None => self.implicit(requirement),
        }
    }

    /// The other components that provide an interface.
    fn candidates(&self, interface: &str) -> Vec<usize> {
        (0..self.components.len())
            .filter(|index| *index != self.index)
            .filter(|index| self.components[*index].described.provides.contains(&interface))
            .collect()
    }

    fn names(&self, indices: &[usize]) -> Vec<&str> {
        indices.iter().map(|index| self.components[*index].name.as_str()).collect()
    }

    fn explicit(&self, requirement: &Requirement, named: &str) -> Result<usize, Diagnostic> {
        let span = self.places(requirement.name).1;
        let interface = requirement.interface;
        let candidates = self.candidates(interface);
        let able = self.names(&candidates);
        let others = || {
            format!(
                "components that provide {interface}: {}",
                suggest::listed(able.iter().copied(), "and")
            )
        };
        let found = self.components.iter().position(|other| other.name.as_str() == named);
        let Some(index) = found else {
            let message = format!("there is no component `{named}`");
            let all = self.components.iter().map(|component| component.name.as_str());
            let near = suggest::nearest(named, able.iter().copied())
                .or_else(|| suggest::nearest(named, all));
            let hint = near.map_or_else(others, |near| format!("did you mean `{near}`?"));
            return Err(fault("unknown-component", span, message).hint(hint));
        };
        if index == self.index {
            let message = format!("`{named}` cannot fulfil its own requirement");
            return Err(fault("self-requirement", span, message).hint(others()));
        }
        if !candidates.contains(&index) {
            let provides = &self.components[index].described.provides;
            let provides =
                if provides.is_empty() { "nothing".to_owned() } else { provides.join(" and ") };
            let message = format!(
                "`{}` needs {interface} ({}), but `{named}` provides {provides}",
                self.component.name, requirement.name
            );
            return Err(fault("wrong-interface", span, message).hint(others()));
        }
        Ok(index)
    }

    fn implicit(&self, requirement: &Requirement) -> Result<usize, Diagnostic> {
        let Requirement { name, interface } = requirement;
        let component = &self.component.name;
        let span = self.component.places.name;
        let candidates = self.candidates(interface);
        match candidates.as_slice() {
            [only] => Ok(*only),
            [] => {
                let other = self.other_version(interface);
                let message = format!(
                    "`{component}` needs {interface} ({name}), and no other component provides it{other}"
                );
                Err(fault("missing-requirement", span, message)
                    .hint(self.how_to_provide(interface)))
            }
            several => {
                let names = self.names(several);
                let message = format!(
                    "`{component}` needs {interface} ({name}), and {} provide it",
                    suggest::listed(names.iter().copied(), "and")
                );
                let hint = format!(
                    "write `needs: {{ {name}: {} }}` in `{component}`, or {} instead",
                    names[0],
                    suggest::listed(names[1..].iter().copied(), "or")
                );
                Err(fault("ambiguous-requirement", span, message).hint(hint))
            }
        }
    }

    fn how_to_provide(&self, interface: &str) -> String {
        let types = self.registry.providers(interface);
        let Some(first) = types.first().copied() else {
            return "no known component type provides it: is a plugin missing?".to_owned();
        };
        let taken: BTreeSet<&str> =
            self.components.iter().map(|component| component.name.as_str()).collect();
        let name = interface.split('/').next().unwrap_or(first);
        let name =
            if taken.contains(name) || name.len() > ComponentName::MAX { first } else { name };
        let others = match types.as_slice() {
            [_] => String::new(),
            _ => format!("; component types that provide it: {}", suggest::listed(types, "and")),
        };
        format!("add a component, such as `{name}: {{ use: {first} }}`{others}")
    }

    /// What to add when a component provides another version of the interface.
    fn other_version(&self, interface: &str) -> String {
        let base = |interface: &str| interface.split('/').next().map(str::to_owned);
        let found = self.components.iter().find_map(|component| {
            let provides = component.described.provides.iter();
            let other = provides.copied().find(|other| base(other) == base(interface));
            other.filter(|other| *other != interface).map(|other| (&component.name, other))
        });
        found.map_or_else(String::new, |(name, other)| format!("; `{name}` provides {other}"))
    }
}
