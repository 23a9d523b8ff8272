//! `graph`: the dependency graph.

use serde_json::json;

use crate::args::{GraphArgs, GraphFormat, Output};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::graph::{Graph, Node};
use crate::report;
use crate::report::json::VERSION;
use crate::settings::Settings;
use crate::stack_source::StackSource;

pub(crate) fn run(settings: &Settings, args: &GraphArgs) -> Result<Exit, Failure> {
    let source = StackSource::read(&settings.file, &settings.set)?;
    let wired = source.wired(settings)?;
    let wiring = &wired.wiring;
    let nodes = if args.components {
        let node = |wired: &zonestack_core::wire::Wired| Node {
            name: wired.component.to_string(),
            group: wiring.stack.name.to_string(),
            needs: wired.providers.values().map(ToString::to_string).collect(),
        };
        wiring.order.iter().map(node).collect()
    } else {
        let node = |resource: &zonestack_core::resource::Resource| Node {
            name: resource.id.to_string(),
            group: resource.id.component.to_string(),
            needs: resource.all_needs().iter().map(|need| need.id.to_string()).collect(),
        };
        wired.nominal()?.resources.iter().map(node).collect()
    };
    let graph = Graph { nodes }.reduced();
    let text = match (settings.output, args.format) {
        (Output::Json, _) => {
            let nodes: Vec<_> = graph
                .nodes
                .iter()
                .map(|node| json!({ "id": node.name, "group": node.group, "needs": node.needs }))
                .collect();
            format!("{}\n", json!({ "version": VERSION, "nodes": nodes }))
        }
        (Output::Text, GraphFormat::Text) => graph.text(),
        (Output::Text, GraphFormat::Dot) => graph.dot(),
        (Output::Text, GraphFormat::Mermaid) => graph.mermaid(),
        (Output::Text, GraphFormat::Svg) => graph.svg(),
    };
    report::data(&text)?;
    Ok(Exit::Done)
}
