//! Component types by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::component::{Component, ComponentType};
use crate::suggest;

/// The component types that a stack file may use.
#[derive(Clone, Default)]
pub struct Registry {
    types: BTreeMap<&'static str, RegisteredType>,
}

/// A component type with its description, asked for once.
#[derive(Clone)]
pub struct RegisteredType {
    /// What it is.
    pub described: Arc<ComponentType>,
    /// What it does.
    pub component: Arc<dyn Component>,
}

impl Registry {
    /// A registry of these types. Of two with one name the later wins, so that a loaded plugin can replace a built-in.
    pub fn new(components: Vec<Arc<dyn Component>>) -> Self {
        let describe = |component: Arc<dyn Component>| {
            let described = Arc::new(component.describe());
            (described.name, RegisteredType { described, component })
        };
        Self { types: components.into_iter().map(describe).collect() }
    }

    /// The type that `use: name` means.
    pub fn get(&self, name: &str) -> Option<&RegisteredType> {
        self.types.get(name)
    }

    /// Every type, in order of name.
    pub fn types(&self) -> impl Iterator<Item = &RegisteredType> {
        self.types.values()
    }

    /// The names of the types that provide an interface, in order.
    pub fn providers(&self, interface: &str) -> Vec<&'static str> {
        self.types()
            .map(|found| &found.described)
            .filter(|described| described.provides.contains(&interface))
            .map(|described| described.name)
            .collect()
    }

    /// What to say about a name that is no type: the near miss, or all there are.
    pub fn advice(&self, name: &str) -> String {
        let names: Vec<&str> = self.types.keys().copied().collect();
        suggest::advice(name, &names, "component types")
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.types.keys()).finish()
    }
}

impl fmt::Debug for RegisteredType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.described, f)
    }
}
