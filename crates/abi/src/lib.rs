//! The binary interface between zonestack and a plugin: one card, one symbol, bytes in, bytes out.
//!
//! A plugin is a shared library. It carries a [`Card`] in a section of its own, which the host reads from the file before
//! anything of the plugin runs, and it exports one function, [`SYMBOL`]. Everything else is messages: bytes with a number,
//! answered by bytes with that number.
//!
//! # Memory
//! Nothing allocated on one side is ever freed by the other. Every [`Slice`] is borrowed: whoever receives it copies it before
//! returning.
//!
//! # Calls
//! The host calls [`PluginV1::start`] with a number that is new; the plugin calls [`HostV1::complete`] with that number exactly
//! once, from any thread. No function of either table blocks or unwinds.
//!
//! # Versions
//! Within a major version functions are only appended, and `struct_size` says which are there. The messages have versions of
//! their own (`proto`), of which the highest that both sides know is used.
//!
//! The same in C is `include/zonestack.h`.
#![no_std]

use core::ffi::c_void;

/// The major version of this interface. It is part of [`SYMBOL`].
pub const ABI_MAJOR: u32 = 1;
/// The minor version: how many times functions were appended.
pub const ABI_MINOR: u32 = 0;
/// The oldest version of the messages that this release speaks.
pub const PROTO_MIN: u32 = 1;
/// The newest version of the messages that this release speaks.
pub const PROTO_MAX: u32 = 1;
/// The first bytes of a card.
pub const MAGIC: [u8; 8] = *b"ZONESTK\x01";
/// The section that holds the card, in ELF files.
pub const SECTION_ELF: &str = ".zonestack";
/// The section that holds the card, in Mach-O files; its segment is `__DATA`.
pub const SECTION_MACHO: &str = "__zonestack";
/// The section that holds the card, in PE files.
pub const SECTION_PE: &str = ".zstk";
/// The one exported function, an [`Entry`].
pub const SYMBOL: &str = "zonestack_plugin_v1";
/// The largest message, in bytes.
pub const MESSAGE_MAX: usize = 16 << 20;

/// `complete` and `answer`: it went well, and the body is the result.
pub const STATUS_OK: i32 = 0;
/// `complete` and `answer`: it failed, and the body says how.
pub const STATUS_ERROR: i32 = 1;

/// `emit`: a line for the log.
pub const EMIT_LOG: u32 = 1;
/// `emit`: progress of a call.
pub const EMIT_PROGRESS: u32 = 2;
/// `emit`: something that the host should remember although the call has not ended.
pub const EMIT_CHECKPOINT: u32 = 3;

/// Who a plugin is: read from the file, before any of its code runs. Texts are UTF-8, padded with zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Card {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// Size of this structure in bytes, as the plugin knows it.
    pub card_size: u32,
    /// The major version of the interface that it was built with.
    pub abi_major: u32,
    /// The minor version.
    pub abi_minor: u32,
    /// The oldest version of the messages that it speaks.
    pub proto_min: u32,
    /// The newest version of the messages that it speaks.
    pub proto_max: u32,
    /// Its name, the `NAME` of `libzonestack_plugin_NAME.so`.
    pub name: [u8; 64],
    /// Its version.
    pub version: [u8; 32],
    /// The SDK that it was built with, such as `zonestack-sdk 0.1.0`.
    pub sdk: [u8; 32],
    /// The target that it was built for, such as `x86_64-unknown-linux-gnu`.
    pub target: [u8; 64],
    /// The compiler that built it.
    pub rustc: [u8; 64],
    /// The oldest glibc that it runs with, such as `2.28`; empty when it does not say.
    pub min_glibc: [u8; 16],
}

/// The texts of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardTexts<'a> {
    /// [`Card::name`].
    pub name: &'a str,
    /// [`Card::version`].
    pub version: &'a str,
    /// [`Card::sdk`].
    pub sdk: &'a str,
    /// [`Card::target`].
    pub target: &'a str,
    /// [`Card::rustc`]; what does not fit is cut off.
    pub rustc: &'a str,
    /// [`Card::min_glibc`].
    pub min_glibc: &'a str,
}

/// The size of a structure of this interface, as its first field says it.
#[expect(clippy::cast_possible_truncation, reason = "a few hundred bytes")]
const fn size<T>() -> u32 {
    size_of::<T>() as u32
}

impl Card {
    /// Its size in bytes.
    pub const SIZE: u32 = size::<Self>();

    /// The card of a plugin that is built with this crate. Every text but `rustc` must leave room for a zero.
    ///
    /// # Panics
    /// On a text that does not fit: in a constant, that is an error of the build.
    pub const fn new(texts: CardTexts<'_>) -> Self {
        assert!(!texts.name.is_empty() && texts.name.len() < 64, "a name has 1 to 63 bytes");
        assert!(texts.version.len() < 32, "a version has at most 31 bytes");
        assert!(texts.sdk.len() < 32 && texts.target.len() < 64 && texts.min_glibc.len() < 16);
        Self {
            magic: MAGIC,
            card_size: Self::SIZE,
            abi_major: ABI_MAJOR,
            abi_minor: ABI_MINOR,
            proto_min: PROTO_MIN,
            proto_max: PROTO_MAX,
            name: padded(texts.name),
            version: padded(texts.version),
            sdk: padded(texts.sdk),
            target: padded(texts.target),
            rustc: padded(texts.rustc),
            min_glibc: padded(texts.min_glibc),
        }
    }
}

/// A text with zeros behind it, at least one.
const fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [0; N];
    let bytes = text.as_bytes();
    let mut place = 0;
    while place < bytes.len() && place + 1 < N {
        field[place] = bytes[place];
        place += 1;
    }
    field
}

/// Bytes that are borrowed for the call that passes them.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Slice {
    /// The first byte; may be null when `len` is 0.
    pub ptr: *const u8,
    /// How many.
    pub len: usize,
}

impl Slice {
    /// These bytes, for a call that ends before they do.
    pub const fn of(bytes: &[u8]) -> Self {
        Self { ptr: bytes.as_ptr(), len: bytes.len() }
    }
}

/// What the host offers. It lives as long as the process.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct HostV1 {
    /// Size of this structure in bytes, as the host knows it.
    pub struct_size: u32,
    /// [`ABI_MINOR`] of the host.
    pub abi_minor: u32,
    /// To be given back with every call.
    pub ctx: *mut c_void,
    /// Ends a call that was started: `(ctx, call, status, body)`. Exactly once for each, from any thread.
    pub complete: unsafe extern "C" fn(*mut c_void, u64, i32, Slice),
    /// Says something while a call goes on: `(ctx, call, kind, body)`. Never blocks; too much of it is dropped and counted.
    pub emit: unsafe extern "C" fn(*mut c_void, u64, u32, Slice),
    /// Asks the host for something: `(ctx, call, ask, method, body)`. Answered through [`PluginV1::answer`] with the same `ask`.
    pub ask: unsafe extern "C" fn(*mut c_void, u64, u64, Slice, Slice),
}

impl HostV1 {
    /// Its size in bytes.
    pub const SIZE: u32 = size::<Self>();
}

/// What the plugin offers. It lives as long as the process.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PluginV1 {
    /// Size of this structure in bytes, as the plugin knows it.
    pub struct_size: u32,
    /// [`ABI_MINOR`] of the plugin.
    pub abi_minor: u32,
    /// To be given back with every call.
    pub ctx: *mut c_void,
    /// Starts a call: `(ctx, call, method, body)`. Returns at once; 0, or another number when the call cannot be taken, and then
    /// there is no `complete` for it.
    pub start: unsafe extern "C" fn(*mut c_void, u64, Slice, Slice) -> i32,
    /// Asks a call to stop: `(ctx, call)`. Its `complete` still comes.
    pub cancel: unsafe extern "C" fn(*mut c_void, u64),
    /// Answers what the plugin asked: `(ctx, ask, status, body)`.
    pub answer: unsafe extern "C" fn(*mut c_void, u64, i32, Slice),
    /// Asks the plugin to end what it has under way within so many milliseconds: `(ctx, grace)`.
    pub shutdown: unsafe extern "C" fn(*mut c_void, u64),
}

impl PluginV1 {
    /// Its size in bytes.
    pub const SIZE: u32 = size::<Self>();
}

/// The type of [`SYMBOL`]. It is called once, with a host that lives as long as the process; null refuses the host.
pub type Entry = unsafe extern "C" fn(*const HostV1) -> *const PluginV1;
