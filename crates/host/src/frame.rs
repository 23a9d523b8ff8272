//! Messages between a host and its child: a length of four bytes, little-endian, and as many bytes.
//!
//! Both ends are the same program, so the frames have no versions. Their bodies are the messages of the plugin, unread.

use std::io::{self, Read, Write};

use zonestack_abi::MESSAGE_MAX;

/// Room for what stands beside a body: numbers, and the name of a method.
const BESIDE: usize = 4096;

/// From the host to a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ToPlugin {
    /// Starts a call.
    Start { call: u64, method: String, body: Vec<u8> },
    /// Asks a call to stop.
    Cancel { call: u64 },
    /// Answers what the plugin asked.
    Answer { ask: u64, status: i32, body: Vec<u8> },
    /// Asks it to end everything.
    Shutdown { grace_ms: u64 },
}

/// From a plugin to the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FromPlugin {
    /// It is loaded.
    Ready,
    /// It could not be loaded.
    Failed { reason: String },
    /// It does not take a call.
    Refused { call: u64 },
    /// A call has ended.
    Complete { call: u64, status: i32, body: Vec<u8> },
    /// A call has ended with a body that is too large to be passed on.
    TooLarge { call: u64, length: u64 },
    /// It says something.
    Emit { call: u64, kind: u32, body: Vec<u8> },
    /// It asks something.
    Ask { call: u64, ask: u64, method: String, body: Vec<u8> },
    /// So much of what it said was dropped.
    Dropped { count: u64 },
}

/// What every frame consists of.
#[derive(Debug, Default)]
struct Record {
    tag: u8,
    first: u64,
    second: u64,
    text: String,
    body: Vec<u8>,
}

/// A frame of one direction.
pub(crate) trait Frame: Sized {
    fn parts(self) -> Parts;
    fn of_parts(parts: Parts) -> Option<Self>;
}

/// The insides of a frame.
pub(crate) struct Parts(Record);

fn status_bits(status: i32) -> u64 {
    u64::from(status.cast_unsigned())
}

fn bits_status(bits: u64) -> Option<i32> {
    u32::try_from(bits).ok().map(u32::cast_signed)
}

impl Frame for ToPlugin {
    fn parts(self) -> Parts {
        Parts(match self {
            Self::Start { call, method, body } => {
                Record { tag: 1, first: call, text: method, body, ..Record::default() }
            }
            Self::Cancel { call } => Record { tag: 2, first: call, ..Record::default() },
            Self::Answer { ask, status, body } => Record {
                tag: 3,
                first: ask,
                second: status_bits(status),
                body,
                ..Record::default()
            },
            Self::Shutdown { grace_ms } => Record { tag: 4, first: grace_ms, ..Record::default() },
        })
    }

    fn of_parts(Parts(record): Parts) -> Option<Self> {
        let Record { tag, first, second, text, body } = record;
        Some(match tag {
            1 => Self::Start { call: first, method: text, body },
            2 => Self::Cancel { call: first },
            3 => Self::Answer { ask: first, status: bits_status(second)?, body },
            4 => Self::Shutdown { grace_ms: first },
            _ => return None,
        })
    }
}

impl Frame for FromPlugin {
    fn parts(self) -> Parts {
        Parts(match self {
            Self::Ready => Record { tag: 1, ..Record::default() },
            Self::Failed { reason } => Record { tag: 2, text: reason, ..Record::default() },
            Self::Refused { call } => Record { tag: 3, first: call, ..Record::default() },
            Self::Complete { call, status, body } => {
                let second = status_bits(status);
                Record { tag: 4, first: call, second, body, ..Record::default() }
            }
            Self::TooLarge { call, length } => {
                Record { tag: 5, first: call, second: length, ..Record::default() }
            }
            Self::Emit { call, kind, body } => {
                Record { tag: 6, first: call, second: u64::from(kind), body, ..Record::default() }
            }
            Self::Ask { call, ask, method, body } => {
                Record { tag: 7, first: call, second: ask, text: method, body }
            }
            Self::Dropped { count } => Record { tag: 8, first: count, ..Record::default() },
        })
    }

    fn of_parts(Parts(record): Parts) -> Option<Self> {
        let Record { tag, first, second, text, body } = record;
        Some(match tag {
            1 => Self::Ready,
            2 => Self::Failed { reason: text },
            3 => Self::Refused { call: first },
            4 => Self::Complete { call: first, status: bits_status(second)?, body },
            5 => Self::TooLarge { call: first, length: second },
            6 => Self::Emit { call: first, kind: u32::try_from(second).ok()?, body },
            7 => Self::Ask { call: first, ask: second, method: text, body },
            8 => Self::Dropped { count: first },
            _ => return None,
        })
    }
}

/// Writes a frame. A text that is too long is cut off; a body that is too large is an error.
pub(crate) fn write(to: &mut impl Write, frame: impl Frame) -> io::Result<()> {
    let Parts(mut record) = frame.parts();
    while record.text.len() > BESIDE / 2 {
        record.text.pop();
    }
    let length = 21 + record.text.len() + record.body.len();
    let (Ok(length), Ok(text)) = (u32::try_from(length), u32::try_from(record.text.len())) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the frame is too large"));
    };
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&[record.tag])?;
    to.write_all(&record.first.to_le_bytes())?;
    to.write_all(&record.second.to_le_bytes())?;
    to.write_all(&text.to_le_bytes())?;
    to.write_all(record.text.as_bytes())?;
    to.write_all(&record.body)?;
    to.flush()
}

/// Reads a frame; `None` at the end.
pub(crate) fn read<F: Frame>(from: &mut impl Read) -> io::Result<Option<F>> {
    let mut length = [0; 4];
    if !begins(from, &mut length)? {
        return Ok(None);
    }
    let length = u32::from_le_bytes(length) as usize;
    if !(21..=MESSAGE_MAX + BESIDE).contains(&length) {
        return Err(malformed("a frame of a length that none has"));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    let record = record(&bytes).ok_or_else(|| malformed("a frame that cannot be read"))?;
    let frame = F::of_parts(Parts(record));
    frame.ok_or_else(|| malformed("a frame of an unknown sort")).map(Some)
}

/// Fills the buffer; false when there is nothing more at all.
fn begins(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) if filled == 0 => return Ok(false),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

fn record(bytes: &[u8]) -> Option<Record> {
    let (&tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first_chunk::<8>()?;
    let (second, rest) = rest.split_first_chunk::<8>()?;
    let (text, rest) = rest.split_first_chunk::<4>()?;
    let (text, body) = rest.split_at_checked(u32::from_le_bytes(*text) as usize)?;
    Some(Record {
        tag,
        first: u64::from_le_bytes(*first),
        second: u64::from_le_bytes(*second),
        text: String::from_utf8(text.to_vec()).ok()?,
        body: body.to_vec(),
    })
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<F: Frame + Clone + PartialEq + std::fmt::Debug>(frame: F) {
        let mut bytes = Vec::new();
        write(&mut bytes, frame.clone()).unwrap();
        let mut from = bytes.as_slice();
        assert_eq!(read::<F>(&mut from).unwrap(), Some(frame));
        assert_eq!(read::<F>(&mut from).unwrap(), None);
        for end in 1..bytes.len() {
            assert!(read::<F>(&mut &bytes[..end]).is_err(), "{end} of {} bytes", bytes.len());
        }
    }

    #[test]
    fn a_frame_reads_as_it_was_written_and_a_part_of_it_does_not() {
        let (method, body) = ("render".to_owned(), b"{}".to_vec());
        check(ToPlugin::Start { call: 7, method: method.clone(), body: body.clone() });
        check(ToPlugin::Cancel { call: u64::MAX });
        check(ToPlugin::Answer { ask: 3, status: -1, body: Vec::new() });
        check(ToPlugin::Shutdown { grace_ms: 2000 });
        check(FromPlugin::Ready);
        check(FromPlugin::Failed { reason: "no such file".to_owned() });
        check(FromPlugin::Refused { call: 1 });
        check(FromPlugin::Complete { call: 1, status: i32::MIN, body: body.clone() });
        check(FromPlugin::TooLarge { call: 1, length: 1 << 40 });
        check(FromPlugin::Emit { call: 1, kind: 3, body: body.clone() });
        check(FromPlugin::Ask { call: 1, ask: 2, method, body });
        check(FromPlugin::Dropped { count: 12 });
    }

    #[test]
    fn what_is_no_frame_is_an_error() {
        for bytes in [&b"hello, world, this is no frame"[..], &[21, 0, 0, 0, 99]] {
            let mut padded = bytes.to_vec();
            padded.resize(64, 0);
            assert!(read::<FromPlugin>(&mut padded.as_slice()).is_err());
        }
    }
}
