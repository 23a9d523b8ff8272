//! A plugin's card, read from the file: nothing of the plugin runs for it (plugin-abi.md, A.3.2).

#[cfg(test)]
pub(crate) mod forged;

use std::fmt;
use std::path::Path;

use object::read::Object as _;
use object::{Architecture, BinaryFormat, File, FileKind, ObjectKind, ObjectSection as _};
use serde::Serialize;
use zonestack_abi::{
    ABI_MAJOR, MAGIC, PROTO_MAX, PROTO_MIN, SECTION_ELF, SECTION_MACHO, SECTION_PE,
};

/// The target that this program is built for, and so that a plugin must be built for. What a hash in the lock file is for.
pub const PLATFORM: &str = platform();

const fn platform() -> &'static str {
    if cfg!(all(target_arch = "x86_64", target_os = "linux", target_env = "musl")) {
        "x86_64-unknown-linux-musl"
    } else if cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        "x86_64-unknown-linux-gnu"
    } else if cfg!(all(target_arch = "aarch64", target_os = "linux", target_env = "musl")) {
        "aarch64-unknown-linux-musl"
    } else if cfg!(all(target_arch = "aarch64", target_os = "linux")) {
        "aarch64-unknown-linux-gnu"
    } else if cfg!(all(target_arch = "x86_64", target_os = "macos")) {
        "x86_64-apple-darwin"
    } else if cfg!(all(target_arch = "aarch64", target_os = "macos")) {
        "aarch64-apple-darwin"
    } else if cfg!(all(target_arch = "x86_64", target_os = "windows")) {
        "x86_64-pc-windows-msvc"
    } else if cfg!(all(target_arch = "aarch64", target_os = "windows")) {
        "aarch64-pc-windows-msvc"
    } else {
        "another-platform"
    }
}

/// Who a plugin says that it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Its name: lower-case letters, digits and single dashes.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The major version of the interface that it was built with: the one of this program.
    pub abi_major: u32,
    /// The minor version.
    pub abi_minor: u32,
    /// The oldest version of the messages that it speaks.
    pub proto_min: u32,
    /// The newest version of the messages that it speaks.
    pub proto_max: u32,
    /// The SDK that it was built with; empty when it does not say.
    pub sdk: String,
    /// The target that it says it was built for; empty when it does not say. What counts is the file's own header.
    pub target: String,
    /// The compiler that built it; empty when it does not say.
    pub rustc: String,
    /// The oldest glibc that it runs with; empty when it does not say.
    pub min_glibc: String,
}

/// What a file was built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    system: &'static str,
    processor: Architecture,
}

impl Machine {
    /// The machine of this program.
    fn own() -> Self {
        let processor = match std::env::consts::ARCH {
            "x86_64" => Architecture::X86_64,
            "aarch64" => Architecture::Aarch64,
            "x86" => Architecture::I386,
            "arm" => Architecture::Arm,
            "riscv64" => Architecture::Riscv64,
            "s390x" => Architecture::S390x,
            "powerpc64" => Architecture::PowerPc64,
            "loongarch64" => Architecture::LoongArch64,
            _ => Architecture::Unknown,
        };
        let system = match std::env::consts::OS {
            "macos" => "macOS",
            "windows" => "Windows",
            _ => "Linux",
        };
        Self { system, processor }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let processor = format!("{:?}", self.processor).to_lowercase();
        write!(f, "{} on {processor}", self.system)
    }
}

/// Why a file is no plugin for this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// It is something else.
    #[error("it is no shared library but {0}")]
    NotALibrary(String),
    /// It ends too early, or its headers make no sense.
    #[error("it is damaged or cut off: {0}")]
    Truncated(String),
    /// A library of another sort.
    #[error("it is a shared library, but no zonestack plugin: it has no card (section {section})")]
    NoCard {
        /// Where the card should be.
        section: &'static str,
    },
    /// Built for another machine.
    #[error("it is built for {found}, and this is {needed}")]
    WrongMachine {
        /// What it is built for.
        found: Machine,
        /// What this program is built for.
        needed: Machine,
    },
    /// Built for another interface.
    #[error(
        "it has the plugin interface {found}, and this zonestack has {ABI_MAJOR}: the two cannot talk"
    )]
    WrongAbi {
        /// Its major version.
        found: u32,
    },
    /// It speaks other messages.
    #[error(
        "it speaks the messages of version {}, and this zonestack those of {}",
        range(*min, *max),
        range(PROTO_MIN, PROTO_MAX)
    )]
    NoCommonProto {
        /// The oldest that it speaks.
        min: u32,
        /// The newest that it speaks.
        max: u32,
    },
    /// A text of the card is not what it should be.
    #[error("its card is damaged: {0}")]
    Damaged(String),
    /// Several cards in one library.
    #[error("it has more than one card: two plugins were linked into one library")]
    SeveralCards,
    /// The file is called after another plugin.
    #[error("it is the plugin {card}, but the file is called {file}")]
    OtherName {
        /// The name in the card.
        card: String,
        /// The file's name.
        file: String,
    },
}

fn range(min: u32, max: u32) -> String {
    if min == max { min.to_string() } else { format!("{min} to {max}") }
}

impl CardError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        let rebuild = "rebuild the plugin with the SDK of this zonestack";
        match self {
            Self::NotALibrary(_) | Self::NoCard { .. } => {
                "a plugin is a shared library built with zonestack-sdk: see `zonestack plugin new`"
                    .to_owned()
            }
            Self::Truncated(_) | Self::Damaged(_) => {
                "fetch or build it again; compare its SHA-256 with what its author publishes"
                    .to_owned()
            }
            Self::WrongMachine { needed, .. } => {
                format!("get or build the library for {needed} ({PLATFORM})")
            }
            Self::WrongAbi { found } | Self::NoCommonProto { min: found, .. }
                if *found > self.newest() =>
            {
                format!("update zonestack, which is older than the plugin; or {rebuild}")
            }
            Self::WrongAbi { .. } | Self::NoCommonProto { .. } => {
                format!("{rebuild}, which is newer than it; or go back to an older zonestack")
            }
            Self::SeveralCards => {
                "leave the feature `export` of the other plugin's crate switched off".to_owned()
            }
            Self::OtherName { card, .. } => {
                format!("call the file {}", file_name(card))
            }
        }
    }

    fn newest(&self) -> u32 {
        if matches!(self, Self::WrongAbi { .. }) { ABI_MAJOR } else { PROTO_MAX }
    }
}

/// The file name of a plugin: what cargo makes of the crate `zonestack-plugin-<name>`.
pub fn file_name(plugin: &str) -> String {
    let (before, after) = match std::env::consts::OS {
        "macos" => ("lib", ".dylib"),
        "windows" => ("", ".dll"),
        _ => ("lib", ".so"),
    };
    format!("{before}zonestack_plugin_{}{after}", plugin.replace('-', "_"))
}

/// Whether a text can be the name of a plugin: `[a-z][a-z0-9]*(-[a-z0-9]+)*`, at most 40 characters.
pub fn is_name(text: &str) -> bool {
    text.parse::<zonestack_core::name::TypeName>().is_ok()
}

/// Reads the card of a library, and checks everything that can be known without running it.
///
/// # Errors
/// See [`CardError`].
pub fn read(path: &Path, bytes: &[u8]) -> Result<Identity, CardError> {
    let kind = FileKind::parse(bytes).map_err(|_| CardError::NotALibrary(sort(bytes)))?;
    match kind {
        FileKind::Elf32
        | FileKind::Elf64
        | FileKind::MachO32
        | FileKind::MachO64
        | FileKind::Pe32
        | FileKind::Pe64 => {}
        FileKind::MachOFat32 | FileKind::MachOFat64 => {
            let what = "a universal file of several processors (take one out with `lipo -thin`)";
            return Err(CardError::NotALibrary(what.to_owned()));
        }
        FileKind::Archive => {
            return Err(CardError::NotALibrary("a static library".to_owned()));
        }
        _ => return Err(CardError::NotALibrary("an object file".to_owned())),
    }
    let truncated = |error: object::Error| CardError::Truncated(error.to_string());
    let file = File::parse(bytes).map_err(truncated)?;
    let (system, section) = match file.format() {
        BinaryFormat::MachO => ("macOS", SECTION_MACHO),
        BinaryFormat::Pe => ("Windows", SECTION_PE),
        _ => ("Linux", SECTION_ELF),
    };
    let found = Machine { system, processor: file.architecture() };
    let needed = Machine::own();
    if found != needed {
        return Err(CardError::WrongMachine { found, needed });
    }
    if file.kind() != ObjectKind::Dynamic {
        let what = match file.kind() {
            ObjectKind::Executable => "a program",
            ObjectKind::Relocatable => "an object file",
            _ => "another sort of file for a linker",
        };
        return Err(CardError::NotALibrary(what.to_owned()));
    }
    let card = file.section_by_name(section).ok_or(CardError::NoCard { section })?;
    let identity = Reader::new(card.data().map_err(truncated)?, file.is_little_endian())?.card()?;
    named(&identity, path)?;
    Ok(identity)
}

/// What a file that no linker made looks like.
fn sort(bytes: &[u8]) -> String {
    match bytes {
        [] => "an empty file",
        [b'#', b'!', ..] => "a script",
        _ if bytes.len() < 16 => "a file of a few bytes",
        _ if std::str::from_utf8(&bytes[..bytes.len().min(1024)]).is_ok() => "a text",
        _ => "something else",
    }
    .to_owned()
}

/// The file's name and the card must mean the same plugin: what is found by name is what is loaded.
fn named(identity: &Identity, path: &Path) -> Result<(), CardError> {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if file == file_name(&identity.name) {
        return Ok(());
    }
    Err(CardError::OtherName { card: identity.name.clone(), file })
}

/// Reads a card field by field, as far as its own size says.
struct Reader<'a> {
    card: &'a [u8],
    at: usize,
    little: bool,
}

/// The size of the card of interface 1; later ones are larger, and begin with the same fields.
const CARD_SIZE: usize = size_of::<zonestack_abi::Card>();

impl<'a> Reader<'a> {
    fn new(section: &'a [u8], little: bool) -> Result<Self, CardError> {
        let begins = section.get(..MAGIC.len()).is_some_and(|magic| magic == MAGIC);
        if !begins {
            return Err(CardError::Damaged("it does not begin as a card does".to_owned()));
        }
        let mut reader = Self { card: section, at: MAGIC.len(), little };
        let size = usize::try_from(reader.number()?).unwrap_or(usize::MAX);
        if size > section.len() {
            let message = format!("the card says {size} bytes, {} are there", section.len());
            return Err(CardError::Truncated(message));
        }
        let (card, rest) = section.split_at(size);
        if rest.windows(MAGIC.len()).any(|window| window == MAGIC) {
            return Err(CardError::SeveralCards);
        }
        reader.card = card;
        Ok(reader)
    }

    /// The version of the interface is read first: of another one no more is known than where it stands.
    fn card(mut self) -> Result<Identity, CardError> {
        let abi_major = self.number()?;
        if abi_major != ABI_MAJOR {
            return Err(CardError::WrongAbi { found: abi_major });
        }
        if self.card.len() < CARD_SIZE {
            let message =
                format!("it has {} bytes, at least {CARD_SIZE} belong to it", self.card.len());
            return Err(CardError::Damaged(message));
        }
        let abi_minor = self.number()?;
        let (min, max) = (self.number()?, self.number()?);
        if min > PROTO_MAX || max < PROTO_MIN || min > max {
            return Err(CardError::NoCommonProto { min, max });
        }
        let identity = Identity {
            abi_major,
            abi_minor,
            proto_min: min,
            proto_max: max,
            name: self.text::<64>("name")?,
            version: self.text::<32>("version")?,
            sdk: self.text::<32>("SDK")?,
            target: self.text::<64>("target")?,
            rustc: self.text::<64>("compiler")?,
            min_glibc: self.text::<16>("oldest glibc")?,
        };
        if !is_name(&identity.name) {
            let message = format!("{:?} is no name of a plugin", identity.name);
            return Err(CardError::Damaged(message));
        }
        if identity.version.is_empty() {
            return Err(CardError::Damaged("it has no version".to_owned()));
        }
        Ok(identity)
    }

    fn bytes<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], CardError> {
        let found = self.card.get(self.at..).and_then(<[u8]>::first_chunk::<LENGTH>);
        let found = found.ok_or_else(|| CardError::Truncated("the card ends early".to_owned()))?;
        self.at += LENGTH;
        Ok(*found)
    }

    fn number(&mut self) -> Result<u32, CardError> {
        let bytes = self.bytes::<4>()?;
        Ok(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    /// A text up to its first zero. It will be printed: what moves a cursor or rings a bell has no place in it.
    fn text<const LENGTH: usize>(&mut self, what: &str) -> Result<String, CardError> {
        let bytes = self.bytes::<LENGTH>()?;
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        match std::str::from_utf8(text) {
            Ok(text) if !text.chars().any(char::is_control) => Ok(text.to_owned()),
            _ => Err(CardError::Damaged(format!("its {what} is no text"))),
        }
    }
}

#[cfg(test)]
mod tests;
