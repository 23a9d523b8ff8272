//! The functions behind the one symbol: from pointers to [`Serve`](crate::serve::Serve) and back.
//!
//! Everything that a plugin makes here lives as long as the process: libraries are never unloaded.
#![expect(unsafe_code, reason = "this is the boundary: pointers come in and go out")]

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use futures::channel::oneshot;
use futures::future::{Either, select};
use tokio::runtime::{Builder, Runtime};
use zonestack_abi::{ABI_MINOR, HostV1, PluginV1, STATUS_ERROR, STATUS_OK, Slice};
use zonestack_core::driver::ErrorClass;

use crate::host::{Host, Outside, for_call};
use crate::log;
use crate::message::Failure;
use crate::plugin::Plugin;
use crate::serve::{Outcome, Serve, Server};

/// The host's table, as long as the process lives.
struct Table(HostV1);

// SAFETY: the interface says that every function of the table may be called from any thread, with this context.
unsafe impl Send for Table {}
// SAFETY: the same.
unsafe impl Sync for Table {}

impl Outside for Table {
    fn complete(&self, call: u64, status: i32, body: &[u8]) {
        // SAFETY: the function and the context come from the host together, and the body outlives the call.
        unsafe { (self.0.complete)(self.0.ctx, call, status, Slice::of(body)) }
    }

    fn emit(&self, call: u64, kind: u32, body: &[u8]) {
        // SAFETY: as in `complete`.
        unsafe { (self.0.emit)(self.0.ctx, call, kind, Slice::of(body)) }
    }

    fn ask(&self, call: u64, ask: u64, method: &str, body: &[u8]) {
        // SAFETY: as in `complete`.
        unsafe {
            (self.0.ask)(self.0.ctx, call, ask, Slice::of(method.as_bytes()), Slice::of(body));
        }
    }
}

/// A loaded plugin: what the context of its table points at.
struct Instance {
    host: Host,
    server: Arc<dyn Serve>,
    runtime: Runtime,
    /// Calls that go on, each with the means to stop it.
    calls: Arc<Mutex<BTreeMap<u64, oneshot::Sender<()>>>>,
}

/// What [`export!`](crate::export)'s symbol does. Null when this host does not fit or the plugin cannot start.
///
/// # Safety
/// `host` is null or points at a table whose first field says how long it is, and which with all that it refers to lives as
/// long as the process.
pub unsafe fn open<P: Plugin>(host: *const HostV1) -> *const PluginV1 {
    let opened = catch_unwind(|| {
        // SAFETY: the caller's promise.
        let table = unsafe { read_table(host) }?;
        let host = Host::new(Box::new(Table(table)));
        log::install(&host);
        let mut runtime = Builder::new_multi_thread();
        runtime.worker_threads(2).thread_name(format!("plugin:{}", P::NAME)).enable_all();
        let instance = Instance {
            server: Arc::new(Server::<P>::new(host.clone())),
            host,
            runtime: runtime.build().ok()?,
            calls: Arc::default(),
        };
        Some(ptr::from_ref(Box::leak(Box::new(PluginV1 {
            struct_size: PluginV1::SIZE,
            abi_minor: ABI_MINOR,
            ctx: ptr::from_mut(Box::leak(Box::new(instance))).cast(),
            start,
            cancel,
            answer,
            shutdown,
        }))))
    });
    opened.ok().flatten().unwrap_or(ptr::null())
}

/// The table of a host that is new enough.
///
/// # Safety
/// As [`open`].
unsafe fn read_table(host: *const HostV1) -> Option<HostV1> {
    if host.is_null() {
        return None;
    }
    // SAFETY: not null, and the first field of every version of the table is its size.
    let size = unsafe { ptr::addr_of!((*host).struct_size).read() };
    // SAFETY: the host says that all fields that are known here are there.
    (size >= HostV1::SIZE).then(|| unsafe { host.read() })
}

/// The instance behind a context.
///
/// # Safety
/// `ctx` comes from the table that [`open`] made.
unsafe fn instance<'a>(ctx: *mut c_void) -> &'a Instance {
    // SAFETY: the context of that table is an instance that is never freed and never borrowed mutably.
    unsafe { &*ctx.cast::<Instance>() }
}

/// The bytes of a slice. One that cannot be is empty.
///
/// # Safety
/// The slice is empty, or `len` bytes can be read at `ptr` during this call.
pub unsafe fn copied(slice: Slice) -> Vec<u8> {
    if slice.ptr.is_null() || slice.len == 0 || isize::try_from(slice.len).is_err() {
        return Vec::new();
    }
    // SAFETY: the caller's promise; not null, and no longer than anything can be.
    unsafe { std::slice::from_raw_parts(slice.ptr, slice.len) }.to_vec()
}

unsafe extern "C" fn start(ctx: *mut c_void, call: u64, method: Slice, body: Slice) -> i32 {
    // SAFETY: the host gives the context back, and slices that are there during this call.
    let (instance, method, body) = unsafe { (instance(ctx), copied(method), copied(body)) };
    let started = catch_unwind(AssertUnwindSafe(|| instance.start(call, method, body)));
    i32::from(!started.unwrap_or(false))
}

unsafe extern "C" fn cancel(ctx: *mut c_void, call: u64) {
    // SAFETY: the host gives the context back.
    let instance = unsafe { instance(ctx) };
    drop(catch_unwind(AssertUnwindSafe(|| instance.cancel(call))));
}

unsafe extern "C" fn answer(ctx: *mut c_void, ask: u64, status: i32, body: Slice) {
    // SAFETY: the host gives the context back, and a slice that is there during this call.
    let (instance, body) = unsafe { (instance(ctx), copied(body)) };
    drop(catch_unwind(AssertUnwindSafe(|| instance.host.answered(ask, status, body))));
}

unsafe extern "C" fn shutdown(ctx: *mut c_void, _grace_ms: u64) {
    // SAFETY: the host gives the context back.
    let instance = unsafe { instance(ctx) };
    drop(catch_unwind(AssertUnwindSafe(|| instance.cancel_all())));
}

impl Instance {
    /// Whether the call could be taken: its number is new and its method is a text.
    fn start(&self, call: u64, method: Vec<u8>, body: Vec<u8>) -> bool {
        let Ok(method) = String::from_utf8(method) else { return false };
        let (stop, stopped) = oneshot::channel();
        {
            let mut calls = self.calls();
            if calls.contains_key(&call) {
                return false;
            }
            calls.insert(call, stop);
        }
        let can_be_dropped = self.server.can_be_dropped(&method);
        let work = for_call(call, Arc::clone(&self.server).answer(call, method, body));
        let (calls, host) = (Arc::clone(&self.calls), self.host.clone());
        self.runtime.spawn(async move {
            let outcome = if can_be_dropped { or_stopped(work, stopped).await } else { work.await };
            calls.lock().unwrap_or_else(PoisonError::into_inner).remove(&call);
            complete(&host, call, outcome);
        });
        true
    }

    fn cancel(&self, call: u64) {
        let stop = self.calls().remove(&call);
        if let Some(stop) = stop {
            // One that has just ended is as good.
            let _ = stop.send(());
        }
    }

    fn cancel_all(&self) {
        let calls = std::mem::take(&mut *self.calls());
        for stop in calls.into_values() {
            // One that has just ended is as good.
            let _ = stop.send(());
        }
    }

    fn calls(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, oneshot::Sender<()>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The call's own outcome, unless it is asked to stop before.
async fn or_stopped(
    work: impl Future<Output = Outcome>,
    stopped: oneshot::Receiver<()>,
) -> Outcome {
    let work = std::pin::pin!(work);
    match select(work, stopped).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right((Ok(()), _)) => {
            let message = "stopped before it had ended; whether it had an effect is not known";
            Err(Failure::new(&ErrorClass::Ambiguous, message))
        }
        // The means to stop it are gone, so nobody will.
        Either::Right((Err(_), work)) => work.await,
    }
}

fn complete(host: &Host, call: u64, outcome: Outcome) {
    match outcome {
        Ok(body) => host.complete(call, STATUS_OK, &body),
        Err(failure) => {
            let body = serde_json::to_vec(&failure).unwrap_or_default();
            host.complete(call, STATUS_ERROR, &body);
        }
    }
}
