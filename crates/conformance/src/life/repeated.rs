//! A driver that makes every call twice (design.md, invariant 6).

use std::collections::BTreeSet;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value as Json;
use zonestack_core::driver::{
    CallContext, Created, Deletion, Difference, Driver, DriverError, Observation, Owned, Query,
    Status, Target,
};
use zonestack_core::kind::{Identity, KindDeclaration};
use zonestack_core::name::Kind;
use zonestack_sandbox::SandboxDriver;

/// The sandbox's driver, each of whose calls that change something is made again. The second answer is the one that counts when
/// it is good.
pub(super) struct Repeated {
    inner: SandboxDriver,
    /// Kinds without a key: the sandbox cannot know a second creation for the first.
    keyless: BTreeSet<Kind>,
}

impl Repeated {
    pub(super) fn new(inner: SandboxDriver) -> Self {
        let kinds = inner.kinds().into_iter();
        let keyless = kinds.filter(|kind| kind.identity == Identity::ServerId);
        Self { keyless: keyless.map(|kind| kind.kind).collect(), inner }
    }
}

impl Driver for Repeated {
    fn kinds(&self) -> Vec<KindDeclaration> {
        self.inner.kinds()
    }

    fn observe<'a>(
        &'a self,
        cx: CallContext<'a>,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Observation, DriverError>>> {
        self.inner.observe(cx, queries)
    }

    fn create<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
    ) -> BoxFuture<'a, Result<Created, DriverError>> {
        async move {
            let first = self.inner.create(cx, target, spec).await;
            if self.keyless.contains(&target.kind) {
                return first;
            }
            let second = self.inner.create(cx, target, spec).await;
            second.or(first)
        }
        .boxed()
    }

    fn update<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
        differences: &'a [Difference],
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        async move {
            let first = self.inner.update(cx, target, spec, differences).await;
            self.inner.update(cx, target, spec, differences).await.or(first)
        }
        .boxed()
    }

    fn delete<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        deletion: &'a Deletion,
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        async move {
            let first = self.inner.delete(cx, target, deletion).await;
            self.inner.delete(cx, target, deletion).await.or(first)
        }
        .boxed()
    }

    fn final_copy<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Status, DriverError>> {
        self.inner.final_copy(cx, target, name)
    }

    fn owned<'a>(&'a self, cx: CallContext<'a>) -> BoxFuture<'a, Result<Vec<Owned>, DriverError>> {
        self.inner.owned(cx)
    }
}
