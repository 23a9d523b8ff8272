//! Components in the order of what they require.

use std::collections::BTreeSet;

use super::Wires;
use crate::diagnostic::Diagnostic;
use crate::stack::StackComponent;
use crate::yaml::fault;

/// The components by index, each after its providers, the file's order where that leaves a choice; and the circles, in which
/// there is no such order.
pub(super) fn order(components: &[StackComponent], wires: &Wires) -> (Vec<usize>, Vec<Diagnostic>) {
    let mut order = Vec::new();
    let mut circles = Vec::new();
    let mut waiting: Vec<BTreeSet<usize>> =
        wires.iter().map(|wires| wires.values().copied().collect()).collect();
    let mut consumers: Vec<Vec<usize>> = vec![Vec::new(); components.len()];
    for (consumer, providers) in waiting.iter().enumerate() {
        for provider in providers {
            consumers[*provider].push(consumer);
        }
    }
    let mut left: BTreeSet<usize> = (0..components.len()).collect();
    let mut ready: BTreeSet<usize> =
        left.iter().copied().filter(|index| waiting[*index].is_empty()).collect();
    while !left.is_empty() {
        // With nothing ready, every component that is left waits for another that is left: there is a circle.
        let done = match ready.pop_first() {
            Some(next) => vec![next],
            None => circle(&left, &waiting),
        };
        if done.is_empty() {
            break;
        }
        if done.len() > 1 {
            circles.push(diagnostic(components, wires, &done));
        }
        for index in done {
            left.remove(&index);
            order.push(index);
            for consumer in &consumers[index] {
                waiting[*consumer].remove(&index);
                if waiting[*consumer].is_empty() && left.contains(consumer) {
                    ready.insert(*consumer);
                }
            }
        }
        ready.retain(|index| left.contains(index));
    }
    (order, circles)
}

/// A circle among the components that are left: each requires the next one, the last requires the first. Begins with the one
/// that stands first in the file.
fn circle(left: &BTreeSet<usize>, waiting: &[BTreeSet<usize>]) -> Vec<usize> {
    let mut path: Vec<usize> = left.first().copied().into_iter().collect();
    while let Some(next) = path.last().and_then(|last| waiting[*last].first()).copied() {
        if let Some(start) = path.iter().position(|index| *index == next) {
            let mut circle = path.split_off(start);
            let first = (0..circle.len()).min_by_key(|at| circle[*at]).unwrap_or(0);
            circle.rotate_left(first);
            return circle;
        }
        path.push(next);
    }
    Vec::new()
}

fn diagnostic(components: &[StackComponent], wires: &Wires, circle: &[usize]) -> Diagnostic {
    let names: Vec<&str> =
        circle.iter().chain(circle.first()).map(|index| components[*index].name.as_str()).collect();
    let first = &components[circle[0]];
    let requirement = wires[circle[0]]
        .iter()
        .find(|(_, provider)| **provider == circle[1])
        .map(|(requirement, _)| requirement.as_str())
        .unwrap_or_default();
    let written = first.places.needs.get(requirement).and_then(|(_, value)| *value);
    let message = format!("components require each other in a circle: {}", names.join(" → "));
    let mut found = fault("cycle", written.or(first.places.name), message).hint(format!(
        "let one of them use another component, for example by `needs: {{ {requirement}: … }}` in `{}`",
        first.name
    ));
    found.component = Some(first.name.clone());
    found
}
