//! The programs of the control plane: from `KUBEBUILDER_ASSETS`, or built once from the Go modules in `lab/`.
//!
//! # Guarantees
//! - A program in the cache is whole: it is built elsewhere and renamed into place, under a lock.
//! - Its folder has the version and a hash of `go.mod`, `go.sum` and the linker's flags: a change of any is a new build.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::cache::{self, NoCache};
use super::environment;
use super::files::{self, FileError};
use super::process::{self, ProcessError};
use super::progress;

/// About ten times what two idle cores need.
const BUILD: Duration = Duration::from_mins(90);

/// The programs cannot be had.
#[derive(Debug, Error)]
pub(crate) enum BinaryError {
    #[error("{} requires no version of {module}", path.display())]
    NoVersion { path: PathBuf, module: &'static str },
    #[error(
        "the control plane is built from source and needs Go (https://go.dev/dl), 1.26 or newer; or \
         set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver, kube-controller-manager, \
         kube-scheduler and kwok"
    )]
    Build(#[source] ProcessError),
    #[error(transparent)]
    NoCache(#[from] NoCache),
    #[error(transparent)]
    File(#[from] FileError),
}

/// Where the programs are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Binaries {
    pub(crate) etcd: PathBuf,
    pub(crate) kube_apiserver: PathBuf,
    pub(crate) kube_controller_manager: PathBuf,
    pub(crate) kube_scheduler: PathBuf,
    pub(crate) kwok: PathBuf,
}

/// A Go module of `lab/` and the programs that it gives.
struct Module {
    folder: &'static str,
    /// The module whose version names the build.
    requires: &'static str,
    /// Name of the program, and its package.
    programs: &'static [(&'static str, &'static str)],
    /// Variables that get the version at link time.
    version_variables: &'static [&'static str],
    /// The same for the packages with `gitVersion`, `gitMajor` and `gitMinor`.
    version_packages: &'static [&'static str],
}

const ETCD: Module = Module {
    folder: "etcd",
    requires: "go.etcd.io/etcd/server/v3",
    programs: &[("etcd", "go.etcd.io/etcd/server/v3")],
    version_variables: &[],
    version_packages: &[],
};

const KUBERNETES: Module = Module {
    folder: "kubernetes",
    requires: "k8s.io/kubernetes",
    programs: &[
        ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
        ("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
        ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
    ],
    version_variables: &[],
    // Without these it runs, but calls itself v0.0.0.
    version_packages: &["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"],
};

const KWOK: Module = Module {
    folder: "kwok",
    requires: "sigs.k8s.io/kwok",
    programs: &[("kwok", "sigs.k8s.io/kwok/cmd/kwok")],
    version_variables: &["sigs.k8s.io/kwok/pkg/consts.Version"],
    version_packages: &[],
};

/// Finds or builds all programs.
pub(crate) fn ensure() -> Result<Binaries, BinaryError> {
    let assets = environment::assets();
    let [etcd] = programs(&ETCD, assets.as_deref())?;
    let [kube_apiserver, kube_controller_manager, kube_scheduler] =
        programs(&KUBERNETES, assets.as_deref())?;
    let [kwok] = programs(&KWOK, assets.as_deref())?;
    Ok(Binaries { etcd, kube_apiserver, kube_controller_manager, kube_scheduler, kwok })
}

/// The programs of a module, in its order: each from `assets` if it is there, the others built.
fn programs<const N: usize>(
    module: &Module,
    assets: Option<&Path>,
) -> Result<[PathBuf; N], BinaryError> {
    let given = |name: &str| assets.map(|folder| folder.join(name)).filter(|path| path.is_file());
    let wanted: Vec<_> =
        module.programs.iter().filter(|(name, _)| given(name).is_none()).copied().collect();
    let built = if wanted.is_empty() { PathBuf::new() } else { build(module, &wanted)? };
    let mut paths =
        module.programs.iter().map(|(name, _)| given(name).unwrap_or_else(|| built.join(name)));
    Ok(std::array::from_fn(|_| paths.next().unwrap_or_default()))
}

/// Builds what is missing of `wanted`, and says in which folder all of it is.
fn build(module: &Module, wanted: &[(&str, &str)]) -> Result<PathBuf, BinaryError> {
    let sources = cache::sources().join(module.folder);
    let requirements = files::read(&sources.join("go.mod"))?;
    let sums = files::read(&sources.join("go.sum"))?;
    let version = required(&requirements, module.requires).ok_or_else(|| {
        BinaryError::NoVersion { path: sources.join("go.mod"), module: module.requires }
    })?;
    let flags = linker_flags(module, version);
    let key = cache::key([requirements.as_str(), &sums, &flags]);
    let folder = cache::root()?.join(format!("{}-{version}-{key}", module.folder));
    let bin = folder.join("bin");
    files::create_folder(&bin)?;
    let missing = || wanted.iter().filter(|(name, _)| !bin.join(name).is_file());
    if missing().next().is_none() {
        return Ok(bin);
    }
    let _lock = files::lock(&folder.join("lock"))?;
    for (name, package) in missing() {
        progress::note(&format!(
            "building {name} {version} from source (once; minutes of CPU time, 4 GB of Go's cache)"
        ));
        let new = folder.join(format!("{name}.new"));
        let mut go = Command::new("go");
        go.env("CGO_ENABLED", "0").env("GOWORK", "off").env("GOFLAGS", "-buildvcs=false");
        go.args(["build", "-mod=readonly", "-trimpath", "-ldflags", &flags, "-o"]);
        go.arg(&new).arg(package);
        let log = folder.join(format!("{name}.log"));
        process::run(&format!("go build of {name}"), &mut go, &sources, &log, None, BUILD)
            .map_err(BinaryError::Build)?;
        files::rename(&new, &bin.join(name))?;
    }
    Ok(bin)
}

/// The version that a `go.mod` requires of a module.
fn required<'a>(go_mod: &'a str, module: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let line = line.trim();
        let mut words = line.strip_prefix("require ").unwrap_or(line).split_whitespace();
        (words.next()? == module).then(|| words.next()).flatten().filter(|word| *word != "=>")
    })
}

fn linker_flags(module: &Module, version: &str) -> String {
    let numbers = version.trim_start_matches('v');
    let mut parts = numbers.split('.');
    let major = parts.next().unwrap_or_default();
    let minor = parts.next().unwrap_or_default();
    let mut flags = vec!["-s -w".to_owned()];
    flags.extend(module.version_variables.iter().map(|name| format!("-X {name}={numbers}")));
    flags.extend(module.version_packages.iter().map(|package| {
        format!(
            "-X {package}.gitVersion={version} -X {package}.gitMajor={major} -X \
             {package}.gitMinor={minor}"
        )
    }));
    flags.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_either_form_of_require() {
        let block = "require (\n\tk8s.io/api v0.36.2 // indirect\n\tk8s.io/kubernetes v1.36.2\n)\n";
        assert_eq!(required(block, "k8s.io/kubernetes"), Some("v1.36.2"));
        assert_eq!(required("require sigs.k8s.io/kwok v0.8.0", "sigs.k8s.io/kwok"), Some("v0.8.0"));
        assert_eq!(required("\tk8s.io/api => k8s.io/api v0.36.2", "k8s.io/api"), None);
        assert_eq!(required(block, "k8s.io/client-go"), None);
    }

    #[test]
    fn every_module_of_the_lab_has_a_version() {
        for module in [ETCD, KUBERNETES, KWOK] {
            let go_mod = cache::sources().join(module.folder).join("go.mod");
            let requirements = files::read(&go_mod).unwrap();
            assert!(required(&requirements, module.requires).is_some(), "{}", go_mod.display());
        }
    }

    #[test]
    fn kubernetes_learns_its_version_from_the_linker() {
        let flags = linker_flags(&KUBERNETES, "v1.36.2");
        assert!(flags.starts_with("-s -w -X k8s.io/component-base/version.gitVersion=v1.36.2 "));
        assert!(flags.ends_with("-X k8s.io/client-go/pkg/version.gitMinor=36"));
    }
}
