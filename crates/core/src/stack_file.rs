//! The shape of a stack file: which keys it has and of which types. `validate` checks a file against it, `zonestack schema`
//! gives it to editors; the doc comments below are what users read there.

use std::collections::BTreeMap;

use schemars::JsonSchema;

/// The only version of the format.
pub(crate) const API_VERSION: &str = "zonestack/v1";

/// A zonestack stack: one application with everything that it needs, on Kubernetes and AWS.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "it is read as a schema; values are read from the tree, with their places"
)]
pub(crate) struct StackFile {
    /// The version of the format: `zonestack/v1`.
    #[schemars(example = &API_VERSION)]
    api_version: String,
    /// The stack's name: at most 20 lower-case letters, digits and single dashes. Every resource carries it.
    #[schemars(example = &"git")]
    name: String,
    /// The name of the Kubernetes cluster, as kOps or EKS knows it.
    #[schemars(example = &"k8s.example.net")]
    cluster: String,
    /// The AWS region of the cluster.
    #[schemars(example = &"eu-west-1")]
    region: String,
    /// The Kubernetes namespace of the stack's objects; the stack's name when left out.
    namespace: Option<String>,
    /// The zones to use; every zone with worker nodes when left out.
    zones: Option<Vec<String>>,
    /// Ids of the network, where discovery shall not look for itself.
    network: Option<NetworkEntry>,
    /// AWS tags for everything that zonestack makes.
    tags: Option<BTreeMap<String, String>>,
    /// Plugins that are loaded whether or not a component uses them, by name. Their files must be in `zonestack.lock`.
    plugins: Option<Vec<PluginEntry>>,
    /// The components, by a name of your choice.
    components: BTreeMap<String, ComponentEntry>,
}

/// Ids of a network that exists; zonestack uses it and never changes it. What is left out is discovered.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "it is read as a schema")]
struct NetworkEntry {
    /// The VPC.
    #[schemars(example = &"vpc-0123456789abcdef0")]
    vpc: Option<String>,
    /// The subnets, one in each zone.
    subnets: Option<Vec<String>>,
    /// The security groups that every worker node carries.
    security_groups: Option<Vec<String>>,
}

/// A plugin.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "it is read as a schema")]
enum PluginEntry {
    /// Its name: the `NAME` of `libzonestack_plugin_NAME.so`.
    #[schemars(example = &"fsx")]
    Name(String),
    /// Its name, and where its file is.
    File(PluginFile),
}

/// A plugin whose file is in a place of its own.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it is read as a schema")]
struct PluginFile {
    /// Its name: the `NAME` of `libzonestack_plugin_NAME.so`.
    #[schemars(example = &"fsx")]
    name: String,
    /// The file, from the stack file's folder.
    path: Option<String>,
}

/// One component.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it is read as a schema")]
pub(crate) struct ComponentEntry {
    /// The component type.
    #[schemars(rename = "use")]
    type_name: String,
    /// Its settings.
    with: Option<BTreeMap<String, serde_json::Value>>,
    /// Which component fulfils which requirement, such as `database: db`. May be left out where only one can.
    needs: Option<BTreeMap<String, String>>,
    /// Advisories that you have read and accept, by their names, such as `git-on-nfs`; the plan no longer shows them.
    acknowledge: Option<Vec<String>>,
    /// The name that this component had before. Its resources keep their physical names, and so their data. May be taken
    /// out after the next `up`.
    renamed_from: Option<String>,
    /// What is there already and shall be this component's own from now on: a resource's name, as the plan shows it, and the
    /// id or name of what is there, such as `instance: git-db`.
    adopt: Option<BTreeMap<String, String>>,
    /// What a new data store starts with that takes the place of another one, such as after a change of `use`: `start-empty`
    /// says that nothing is to be moved, or that you move it yourself. The old store stays, with its data.
    data: Option<DataStart>,
}

/// What a new data store starts with.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
#[expect(dead_code, reason = "it is read as a schema")]
enum DataStart {
    /// With nothing.
    StartEmpty,
}
