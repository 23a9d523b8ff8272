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

/// Two component types want one name. Neither wins: `use` must mean the same whatever is loaded besides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there are two component types with the name `{name}`")]
pub struct NameClash {
    /// The name.
    pub name: &'static str,
}

impl Registry {
    /// A registry of these types.
    ///
    /// # Errors
    /// Two of them have one name.
    pub fn new(components: Vec<Arc<dyn Component>>) -> Result<Self, NameClash> {
        let mut registry = Self::default();
        registry.add(components)?;
        Ok(registry)
    }

    /// Adds these types.
    ///
    /// # Errors
    /// One of them has a name that is taken; those before it were added.
    pub fn add(&mut self, components: Vec<Arc<dyn Component>>) -> Result<(), NameClash> {
        for component in components {
            let described = Arc::new(component.describe());
            let name = described.name;
            if self.types.contains_key(name) {
                return Err(NameClash { name });
            }
            self.types.insert(name, RegisteredType { described, component });
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;
    use crate::component::{RenderContext, Rendered};
    use crate::diagnostic::Finding;

    struct Named(&'static str);

    impl Component for Named {
        fn describe(&self) -> ComponentType {
            ComponentType {
                name: self.0,
                summary: "a type for tests",
                provides: Vec::new(),
                requires: Vec::new(),
                advisories: Vec::new(),
                schema: Json::Null,
            }
        }

        fn check(&self, _: &Json) -> Vec<Finding> {
            Vec::new()
        }

        fn render(&self, _: &Json, _: &RenderContext<'_>) -> Rendered {
            Rendered::default()
        }
    }

    #[test]
    fn of_two_types_with_one_name_none_wins() {
        let types = |names: &[&'static str]| -> Vec<Arc<dyn Component>> {
            names.iter().map(|name| Arc::new(Named(name)) as _).collect()
        };
        assert_eq!(Registry::new(types(&["a", "b", "a"])).unwrap_err(), NameClash { name: "a" });
        let mut registry = Registry::new(types(&["a", "b"])).unwrap();
        registry.add(types(&["c"])).unwrap();
        assert_eq!(registry.add(types(&["b"])), Err(NameClash { name: "b" }));
        assert_eq!(registry.types().count(), 3);
    }
}
