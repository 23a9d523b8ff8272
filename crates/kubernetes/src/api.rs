//! Calls to the API server: paths, pages, preconditions. Objects are plain JSON.

use http::Request;
use kube::Client;
use kube::api::{
    DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams, Preconditions,
    PropagationPolicy,
};
use serde_json::Value as Json;

use crate::failure::ApiFailure;
use crate::kinds::ObjectKind;

/// The field manager of everything that zonestack writes.
pub(crate) const MANAGER: &str = "zonestack";

/// Objects per page of a list.
const PAGE: u32 = 250;

/// Where an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

impl Place {
    pub(crate) fn in_namespace(namespace: &str, name: &str) -> Self {
        Self { namespace: Some(namespace.to_owned()), name: name.to_owned() }
    }

    pub(crate) fn of_cluster(name: &str) -> Self {
        Self { namespace: None, name: name.to_owned() }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// What a list shall hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Whole objects.
    Object,
    /// Their metadata only.
    Metadata,
}

/// What to do about a field that another field manager has set to another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnConflict {
    /// Change nothing and say who it is.
    Refuse,
    /// Take the field over.
    TakeOver,
}

/// The API server.
#[derive(Clone)]
pub(crate) struct ApiServer {
    client: Client,
}

/// `get` and `delete` of nothing are `None` and not a failure. Every answer is bounded by the client's time-outs.
impl ApiServer {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    async fn send(
        &self,
        request: Result<Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Json, ApiFailure> {
        let request = request.map_err(|error| ApiFailure::Malformed(error.to_string()))?;
        let text = self.client.request_text(request).await?;
        // The parser's message has no part of the text: it may hold a secret.
        serde_json::from_str(&text).map_err(|error| {
            ApiFailure::Malformed(format!("line {} of the answer is not JSON", error.line()))
        })
    }

    fn at(kind: &ObjectKind, namespace: Option<&str>) -> kube::core::Request {
        kube::core::Request::new(kind.path(namespace))
    }

    /// Every object that the label selector matches.
    pub(crate) async fn list(
        &self,
        kind: &ObjectKind,
        namespace: Option<&str>,
        selector: &str,
        detail: Detail,
    ) -> Result<Vec<Json>, ApiFailure> {
        self.list_path(&kind.path(namespace), selector, detail).await
    }

    /// Every object at a path of the API, page by page. When a page has expired meanwhile, everything is read again at
    /// once, as client-go does.
    pub(crate) async fn list_path(
        &self,
        path: &str,
        selector: &str,
        detail: Detail,
    ) -> Result<Vec<Json>, ApiFailure> {
        let paged = ListParams::default().limit(PAGE);
        match self.pages(path, selector, detail, paged).await {
            Err(failure) if failure.is_expired_page() => {
                self.pages(path, selector, detail, ListParams::default()).await
            }
            result => result,
        }
    }

    async fn pages(
        &self,
        path: &str,
        selector: &str,
        detail: Detail,
        mut params: ListParams,
    ) -> Result<Vec<Json>, ApiFailure> {
        if !selector.is_empty() {
            params = params.labels(selector);
        }
        let mut items = Vec::new();
        loop {
            let request = kube::core::Request::new(path);
            let request = match detail {
                Detail::Object => request.list(&params),
                Detail::Metadata => request.list_metadata(&params),
            };
            let mut page = self.send(request).await?;
            if let Some(Json::Array(more)) = page.get_mut("items").map(Json::take) {
                items.extend(more);
            }
            match page.pointer("/metadata/continue").and_then(Json::as_str) {
                Some(token) if !token.is_empty() => params = params.continue_token(token),
                _ => return Ok(items),
            }
        }
    }

    /// The object, when it is there.
    pub(crate) async fn get(
        &self,
        kind: &ObjectKind,
        place: &Place,
        detail: Detail,
    ) -> Result<Option<Json>, ApiFailure> {
        let request = Self::at(kind, place.namespace.as_deref());
        let request = match detail {
            Detail::Object => request.get(&place.name, &GetParams::default()),
            Detail::Metadata => request.get_metadata(&place.name, &GetParams::default()),
        };
        absent_is_none(self.send(request).await)
    }

    /// What is at a path of the API, when something is there.
    pub(crate) async fn get_path(&self, path: &str) -> Result<Option<Json>, ApiFailure> {
        let request = Request::get(path).body(Vec::new());
        absent_is_none(self.send(request.map_err(kube::core::request::Error::BuildRequest)).await)
    }

    /// Makes the object; fails when one of its name is there.
    pub(crate) async fn create(
        &self,
        kind: &ObjectKind,
        namespace: Option<&str>,
        object: &Json,
    ) -> Result<Json, ApiFailure> {
        let request = Self::at(kind, namespace).create(&post(), object.to_string().into_bytes());
        self.send(request).await
    }

    /// Server-side apply: sets what the object says, takes away what zonestack set before and does not say any more, and
    /// leaves everything else alone.
    pub(crate) async fn apply(
        &self,
        kind: &ObjectKind,
        place: &Place,
        object: &Json,
        on_conflict: OnConflict,
    ) -> Result<Json, ApiFailure> {
        let params = PatchParams {
            force: on_conflict == OnConflict::TakeOver,
            ..PatchParams::apply(MANAGER).validation_strict()
        };
        let request = Self::at(kind, place.namespace.as_deref());
        self.send(request.patch(&place.name, &params, &Patch::Apply(object))).await
    }

    /// JSON merge patch: sets what the patch says, takes away what it says is `null`.
    pub(crate) async fn merge(
        &self,
        kind: &ObjectKind,
        place: &Place,
        patch: &Json,
    ) -> Result<Json, ApiFailure> {
        let params = PatchParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default().validation_strict()
        };
        let request = Self::at(kind, place.namespace.as_deref());
        self.send(request.patch(&place.name, &params, &Patch::Merge(patch))).await
    }

    /// Replaces the whole object; with `metadata.resourceVersion` in it, only that version of it.
    pub(crate) async fn replace(
        &self,
        kind: &ObjectKind,
        place: &Place,
        object: &Json,
    ) -> Result<Json, ApiFailure> {
        let request = Self::at(kind, place.namespace.as_deref());
        let bytes = object.to_string().into_bytes();
        self.send(request.replace(&place.name, &post(), bytes)).await
    }

    /// Starts the end of the object, when it is the one that the preconditions name. What it owns goes after it.
    pub(crate) async fn delete(
        &self,
        kind: &ObjectKind,
        place: &Place,
        preconditions: Preconditions,
    ) -> Result<Option<Json>, ApiFailure> {
        let params = DeleteParams {
            propagation_policy: Some(PropagationPolicy::Background),
            preconditions: Some(preconditions),
            ..DeleteParams::default()
        };
        let request = Self::at(kind, place.namespace.as_deref()).delete(&place.name, &params);
        absent_is_none(self.send(request).await)
    }
}

fn post() -> PostParams {
    PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() }
}

fn absent_is_none(result: Result<Json, ApiFailure>) -> Result<Option<Json>, ApiFailure> {
    match result {
        Ok(object) => Ok(Some(object)),
        Err(failure) if failure.is_not_found() => Ok(None),
        Err(failure) => Err(failure),
    }
}
