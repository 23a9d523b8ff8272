//! A shared library behind its one symbol: pointers to frames and back.
//!
//! A library is loaded once and never unloaded: what it left in threads and destructors would end the process.
#![expect(unsafe_code, reason = "this is the boundary: a foreign library is loaded and called")]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::ptr;
use std::sync::Arc;

use libloading::os::unix::{Library as Loaded, RTLD_LOCAL, RTLD_NOW};
use zonestack_abi::{ABI_MINOR, Entry, HostV1, MESSAGE_MAX, PluginV1, SYMBOL, Slice};
use zonestack_sdk::glue::copied;

use crate::frame::{FromPlugin, ToPlugin};

/// Where a plugin's frames go. Never blocks.
pub(crate) trait Sink: Send + Sync {
    /// A frame has come.
    fn frame(&self, frame: FromPlugin);
}

/// Why a library is no plugin that can be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LibraryError {
    /// The dynamic linker refuses it.
    #[error("{}", linker(.0))]
    Linker(libloading::Error),
    /// It has no such symbol.
    #[error("it does not export {SYMBOL}, so it is no zonestack plugin")]
    NoSymbol,
    /// It gave no table.
    #[error(
        "it refuses this zonestack: rebuild the plugin with the SDK of this zonestack, or update zonestack"
    )]
    Refused,
    /// Its table is shorter than version 1.
    #[error(
        "its table of functions is {0} bytes long, too short: rebuild the plugin with a newer SDK"
    )]
    Short(u32),
}

/// What the linker says, and what to do where that is known.
fn linker(error: &libloading::Error) -> String {
    let text =
        std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    let advice = if text.contains("GLIBC_") {
        ": it was built on a newer system than this one; ask for a build against an older glibc, or build it here"
    } else if text.contains("Dynamic loading not supported") {
        ": this zonestack is linked statically and cannot load plugins; use its gnu build"
    } else {
        ""
    };
    text + advice
}

/// A loaded plugin.
pub(crate) struct Library {
    table: PluginV1,
    sink: Arc<dyn Sink>,
}

// SAFETY: the interface says that every function of the table may be called from any thread, with its context.
unsafe impl Send for Library {}
// SAFETY: the same.
unsafe impl Sync for Library {}

/// What the context of our table points at. Never freed.
struct Outlet {
    sink: Arc<dyn Sink>,
}

impl Library {
    /// Loads a library, whose constructors run, and opens the plugin in it. The path must be absolute.
    pub(crate) fn open(path: &Path, sink: Arc<dyn Sink>) -> Result<Self, LibraryError> {
        // SAFETY: that this runs foreign code is what it is for; everybody who loads a plugin has decided to trust it.
        let loaded = unsafe { Loaded::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
        let loaded = loaded.map_err(LibraryError::Linker)?;
        // SAFETY: a library that exports this name promises that it is a function of this type.
        let entry = unsafe { loaded.get::<Entry>(SYMBOL.as_bytes()) }.map(|symbol| *symbol);
        // Never unloaded.
        std::mem::forget(loaded);
        let entry = entry.map_err(|_| LibraryError::NoSymbol)?;
        // SAFETY: the function comes from a library that is never unloaded.
        unsafe { Self::of_entry(entry, sink) }
    }

    /// Opens the plugin behind an entry.
    ///
    /// # Safety
    /// The function is one as [`Entry`] says, for as long as the process lives.
    pub(crate) unsafe fn of_entry(entry: Entry, sink: Arc<dyn Sink>) -> Result<Self, LibraryError> {
        let outlet = Box::leak(Box::new(Outlet { sink: Arc::clone(&sink) }));
        let host = Box::leak(Box::new(HostV1 {
            struct_size: HostV1::SIZE,
            abi_minor: ABI_MINOR,
            ctx: ptr::from_mut(outlet).cast(),
            complete,
            emit,
            ask,
        }));
        // SAFETY: the table and its context live as long as the process.
        let table = unsafe { entry(ptr::from_ref(host)) };
        if table.is_null() {
            return Err(LibraryError::Refused);
        }
        // SAFETY: not null, and the first field of every version of the table is its size.
        let size = unsafe { ptr::addr_of!((*table).struct_size).read() };
        if size < PluginV1::SIZE {
            return Err(LibraryError::Short(size));
        }
        // SAFETY: the plugin says that all fields that are known here are there.
        Ok(Self { table: unsafe { table.read() }, sink })
    }

    /// Passes a frame on. A call that is not taken comes back as [`FromPlugin::Refused`].
    pub(crate) fn send(&self, frame: &ToPlugin) {
        let ctx = self.table.ctx;
        match frame {
            ToPlugin::Start { call, method, body } => {
                let (method, body) = (Slice::of(method.as_bytes()), Slice::of(body));
                // SAFETY: function and context come from the plugin together, and the slices outlive the call.
                let refused = unsafe { (self.table.start)(ctx, *call, method, body) };
                if refused != 0 {
                    self.sink.frame(FromPlugin::Refused { call: *call });
                }
            }
            // SAFETY: function and context come from the plugin together.
            ToPlugin::Cancel { call } => unsafe { (self.table.cancel)(ctx, *call) },
            ToPlugin::Answer { ask, status, body } => {
                // SAFETY: as for a start.
                unsafe { (self.table.answer)(ctx, *ask, *status, Slice::of(body)) }
            }
            // SAFETY: function and context come from the plugin together.
            ToPlugin::Shutdown { grace_ms } => unsafe { (self.table.shutdown)(ctx, *grace_ms) },
        }
    }
}

/// Hands a frame to the sink behind a context. Unwinding ends here: it must not go through the plugin.
///
/// # Safety
/// `ctx` is the context of a table that [`Library::of_entry`] made.
unsafe fn pass(ctx: *mut c_void, frame: impl FnOnce() -> FromPlugin) {
    // SAFETY: the caller's promise; the outlet is never freed and never borrowed mutably.
    let outlet = unsafe { &*ctx.cast::<Outlet>() };
    drop(catch_unwind(AssertUnwindSafe(|| outlet.sink.frame(frame()))));
}

unsafe extern "C" fn complete(ctx: *mut c_void, call: u64, status: i32, body: Slice) {
    let length = body.len as u64;
    if body.len > MESSAGE_MAX {
        // SAFETY: the plugin gives our context back.
        return unsafe { pass(ctx, || FromPlugin::TooLarge { call, length }) };
    }
    // SAFETY: the plugin's slice is there during this call.
    let body = unsafe { copied(body) };
    // SAFETY: the plugin gives our context back.
    unsafe { pass(ctx, || FromPlugin::Complete { call, status, body }) }
}

unsafe extern "C" fn emit(ctx: *mut c_void, call: u64, kind: u32, body: Slice) {
    if body.len > crate::flood::LINE_MAX {
        // SAFETY: the plugin gives our context back.
        return unsafe { pass(ctx, || FromPlugin::Dropped { count: 1 }) };
    }
    // SAFETY: the plugin's slice is there during this call.
    let body = unsafe { copied(body) };
    // SAFETY: the plugin gives our context back.
    unsafe { pass(ctx, || FromPlugin::Emit { call, kind, body }) }
}

/// A method that is no text, or a body that is too large, is asked as what nobody answers.
unsafe extern "C" fn ask(ctx: *mut c_void, call: u64, ask: u64, method: Slice, body: Slice) {
    let fits = method.len <= 256 && body.len <= MESSAGE_MAX;
    let (method, body) = if fits {
        // SAFETY: the plugin's slices are there during this call.
        unsafe { (copied(method), copied(body)) }
    } else {
        (Vec::new(), Vec::new())
    };
    let method = String::from_utf8(method).unwrap_or_default();
    // SAFETY: the plugin gives our context back.
    unsafe { pass(ctx, || FromPlugin::Ask { call, ask, method, body }) }
}
