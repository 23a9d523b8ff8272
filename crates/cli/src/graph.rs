//! The dependency graph in four formats. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A graph of names: each with its group and what it needs, in an order in which needs come first.
pub(crate) struct Graph {
    /// Name, group, needs.
    pub(crate) nodes: Vec<Node>,
}

/// One node.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) needs: Vec<String>,
}

impl Graph {
    /// Needs that follow from other needs are left out: the arrows that remain are enough.
    pub(crate) fn reduced(mut self) -> Self {
        let needs: BTreeMap<String, Vec<String>> =
            self.nodes.iter().map(|node| (node.name.clone(), node.needs.clone())).collect();
        for node in &mut self.nodes {
            let mut indirect = BTreeSet::new();
            for need in &node.needs {
                reach(need, &needs, &mut indirect);
            }
            node.needs.retain(|need| !indirect.contains(need));
        }
        self
    }

    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        for node in &self.nodes {
            let _ = match node.needs.as_slice() {
                [] => writeln!(out, "{}", node.name),
                needs => writeln!(out, "{} ← {}", node.name, needs.join(", ")),
            };
        }
        out
    }

    pub(crate) fn dot(&self) -> String {
        let mut out = String::from("digraph stack {\n  rankdir=LR;\n  node [shape=box];\n");
        for (index, (group, nodes)) in self.groups().iter().enumerate() {
            let _ = writeln!(out, "  subgraph cluster_{index} {{\n    label=\"{group}\";");
            for node in nodes {
                let _ = writeln!(out, "    \"{}\";", node.name);
            }
            out.push_str("  }\n");
        }
        for (from, to) in self.edges() {
            let _ = writeln!(out, "  \"{from}\" -> \"{to}\";");
        }
        out.push_str("}\n");
        out
    }

    pub(crate) fn mermaid(&self) -> String {
        let ids: BTreeMap<&str, usize> =
            self.nodes.iter().enumerate().map(|(i, node)| (node.name.as_str(), i)).collect();
        let mut out = String::from("graph LR\n");
        for (group, nodes) in self.groups() {
            let _ = writeln!(out, "  subgraph {group}");
            for node in nodes {
                let _ = writeln!(out, "    n{}[\"{}\"]", ids[node.name.as_str()], node.name);
            }
            out.push_str("  end\n");
        }
        for (from, to) in self.edges() {
            let _ = writeln!(out, "  n{} --> n{}", ids[from], ids[to]);
        }
        out
    }

    /// Columns by depth, rows in order; curves from what is needed to what needs it.
    pub(crate) fn svg(&self) -> String {
        const WIDTH: usize = 300;
        const HEIGHT: usize = 36;
        let mut depth: BTreeMap<&str, usize> = BTreeMap::new();
        let mut column: BTreeMap<usize, usize> = BTreeMap::new();
        let mut place: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for node in &self.nodes {
            let deepest = node.needs.iter().filter_map(|need| depth.get(need.as_str())).max();
            let own = deepest.map_or(0, |deepest| deepest + 1);
            depth.insert(&node.name, own);
            let row = column.entry(own).or_default();
            place.insert(&node.name, (own * WIDTH + 16, *row * HEIGHT + 16));
            *row += 1;
        }
        let rows = column.values().max().copied().unwrap_or(0);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" font-family=\"monospace\" font-size=\"11\">\n",
            column.len() * WIDTH + 16,
            rows * HEIGHT + 24,
        );
        for (from, to) in self.edges() {
            let ((x, y), (to_x, to_y)) = (place[from], place[to]);
            let (x, y, to_y) = (x + WIDTH - 40, y + 12, to_y + 12);
            let _ = writeln!(
                out,
                "  <path d=\"M{x} {y} C{} {y} {} {to_y} {to_x} {to_y}\" fill=\"none\" stroke=\"#8a8a8a\"/>",
                x + 24,
                to_x.saturating_sub(24),
            );
        }
        for node in &self.nodes {
            let (x, y) = place[node.name.as_str()];
            let _ = writeln!(
                out,
                "  <rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"24\" rx=\"4\" fill=\"#f3f6fa\" stroke=\"#4a6fa5\"/><text x=\"{}\" y=\"{}\">{}</text>",
                WIDTH - 40,
                x + 6,
                y + 16,
                node.name,
            );
        }
        out.push_str("</svg>\n");
        out
    }

    fn groups(&self) -> Vec<(&str, Vec<&Node>)> {
        let mut groups: Vec<(&str, Vec<&Node>)> = Vec::new();
        for node in &self.nodes {
            match groups.iter_mut().find(|(group, _)| *group == node.group) {
                Some((_, nodes)) => nodes.push(node),
                None => groups.push((&node.group, vec![node])),
            }
        }
        groups
    }

    /// From what is needed to what needs it.
    fn edges(&self) -> Vec<(&str, &str)> {
        let known: BTreeSet<&str> = self.nodes.iter().map(|node| node.name.as_str()).collect();
        let edges = self
            .nodes
            .iter()
            .flat_map(|node| node.needs.iter().map(|need| (need.as_str(), node.name.as_str())));
        edges.filter(|(need, _)| known.contains(need)).collect()
    }
}

fn reach(name: &str, needs: &BTreeMap<String, Vec<String>>, seen: &mut BTreeSet<String>) {
    for need in needs.get(name).into_iter().flatten() {
        if seen.insert(need.clone()) {
            reach(need, needs, seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        let node = |name: &str, group: &str, needs: &[&str]| Node {
            name: name.to_owned(),
            group: group.to_owned(),
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        };
        Graph {
            nodes: vec![
                node("data/fs", "data", &[]),
                node("data/target@a", "data", &["data/fs"]),
                node("app/pod@a", "app", &["data/fs", "data/target@a"]),
            ],
        }
        .reduced()
    }

    #[test]
    fn what_follows_from_other_needs_is_left_out() {
        insta::assert_snapshot!(graph().text(), @r"
        data/fs
        data/target@a ← data/fs
        app/pod@a ← data/target@a
        ");
    }

    #[test]
    fn dot_and_mermaid_name_every_node_and_edge() {
        insta::assert_snapshot!(graph().dot(), @r#"
        digraph stack {
          rankdir=LR;
          node [shape=box];
          subgraph cluster_0 {
            label="data";
            "data/fs";
            "data/target@a";
          }
          subgraph cluster_1 {
            label="app";
            "app/pod@a";
          }
          "data/fs" -> "data/target@a";
          "data/target@a" -> "app/pod@a";
        }
        "#);
        insta::assert_snapshot!(graph().mermaid(), @r#"
        graph LR
          subgraph data
            n0["data/fs"]
            n1["data/target@a"]
          end
          subgraph app
            n2["app/pod@a"]
          end
          n0 --> n1
          n1 --> n2
        "#);
        assert_eq!(graph().svg().matches("<rect").count(), 3);
    }
}
