//! Plugins that are never run: a shared library with nothing in it but a card.

/// What the card says; [`Forged::default`] is a card that this zonestack takes.
#[derive(Clone)]
pub(crate) struct Forged {
    /// The processor of an ELF header: 62 is x86-64, 183 is AArch64.
    pub(crate) machine: u16,
    /// The sort of file: 3 is a shared library.
    pub(crate) kind: u16,
    /// The section's name.
    pub(crate) section: &'static str,
    pub(crate) size: u32,
    pub(crate) abi: [u32; 2],
    pub(crate) proto: [u32; 2],
    pub(crate) name: String,
    pub(crate) version: String,
    /// What stands behind the known fields.
    pub(crate) more: Vec<u8>,
}

impl Default for Forged {
    fn default() -> Self {
        Self {
            machine: if cfg!(target_arch = "aarch64") { 183 } else { 62 },
            kind: 3,
            section: ".zonestack",
            size: 300,
            abi: [1, 0],
            proto: [1, 1],
            name: "fsx".to_owned(),
            version: "0.3.1".to_owned(),
            more: Vec::new(),
        }
    }
}

impl Forged {
    pub(crate) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(crate) fn card(&self) -> Vec<u8> {
        let mut card = b"ZONESTK\x01".to_vec();
        let numbers = [self.size, self.abi[0], self.abi[1], self.proto[0], self.proto[1]];
        card.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        let texts = [
            (self.name.as_str(), 64),
            (&self.version, 32),
            ("zonestack-sdk 0.1.0", 32),
            ("x86_64-unknown-linux-gnu", 64),
            ("rustc 1.95.0", 64),
            ("2.28", 16),
        ];
        for (text, length) in texts {
            let mut bytes = text.as_bytes().to_vec();
            bytes.resize(length, 0);
            card.extend(bytes);
        }
        card.extend(&self.more);
        card
    }

    /// A 64-bit little-endian ELF file: header, card, names of sections, three section headers.
    pub(crate) fn library(&self) -> Vec<u8> {
        let card = self.card();
        let names = format!("\0{}\0.shstrtab\0", self.section);
        let (card_at, names_at) = (64, 64 + card.len());
        let headers_at = (names_at + names.len()).next_multiple_of(8);
        let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        file.extend(self.kind.to_le_bytes());
        file.extend(self.machine.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
        for offset in [0, 0, headers_at as u64] {
            file.extend(offset.to_le_bytes());
        }
        file.extend(0_u32.to_le_bytes());
        for number in [64_u16, 56, 0, 64, 3, 2] {
            file.extend(number.to_le_bytes());
        }
        file.extend(&card);
        file.extend(names.as_bytes());
        file.resize(headers_at, 0);
        let second = u32::try_from(1 + self.section.len() + 1).unwrap();
        let sections: [(u32, u32, usize, usize); 3] =
            [(0, 0, 0, 0), (1, 1, card_at, card.len()), (second, 3, names_at, names.len())];
        for (name, sort, at, length) in sections {
            file.extend(name.to_le_bytes());
            file.extend(sort.to_le_bytes());
            for number in [0, 0, at as u64, length as u64] {
                file.extend(number.to_le_bytes());
            }
            file.extend([0; 8]);
            for number in [u64::from(sort != 0), 0] {
                file.extend(number.to_le_bytes());
            }
        }
        file
    }
}
