//! A ZIP file written as it comes, its members as they are (APPNOTE.TXT 6.3.10, method 0): what is exported is mostly
//! compressed already, and any program can read it.

use std::io::{self, Write};

/// Beyond this a member or the file would need ZIP64.
const MOST: u64 = u32::MAX as u64;
/// Names are UTF-8 (general purpose bit 11).
const UTF8: u16 = 1 << 11;
/// MS-DOS date and time of 1980-01-01: the times that matter stand in the record.
const NO_TIME: [u8; 4] = [0, 0, 0x21, 0];

/// A ZIP file under way.
pub struct Zip<W> {
    out: W,
    written: u64,
    directory: Vec<u8>,
    members: u16,
}

impl<W: Write> Zip<W> {
    pub fn new(out: W) -> Zip<W> {
        Zip { out, written: 0, directory: Vec::new(), members: 0 }
    }

    /// Adds a file; its name has `/` between folders and is safe.
    ///
    /// # Errors
    /// The output's, and when the file grows beyond what the format takes.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let too_large = || io::Error::other("the export is too large for a ZIP file: export into a folder");
        let size = u32::try_from(bytes.len()).map_err(|_| too_large())?;
        let offset = u32::try_from(self.written).map_err(|_| too_large())?;
        let length = u16::try_from(name.len()).map_err(|_| io::Error::other("a file name is too long"))?;
        self.members = self.members.checked_add(1).ok_or_else(too_large)?;
        // Version needed, flags, method, time, checksum, both sizes, length of the name, no extra field.
        let mut common = Vec::with_capacity(26);
        common.extend_from_slice(&20_u16.to_le_bytes());
        common.extend_from_slice(&UTF8.to_le_bytes());
        common.extend_from_slice(&0_u16.to_le_bytes());
        common.extend_from_slice(&NO_TIME);
        for value in [checksum(bytes), size, size] {
            common.extend_from_slice(&value.to_le_bytes());
        }
        common.extend_from_slice(&length.to_le_bytes());
        common.extend_from_slice(&0_u16.to_le_bytes());
        self.write(b"PK\x03\x04")?;
        self.write(&common)?;
        self.write(name.as_bytes())?;
        self.write(bytes)?;
        // Made by: Unix, so that the mode below counts.
        self.directory.extend_from_slice(b"PK\x01\x02\x14\x03");
        self.directory.extend_from_slice(&common);
        // No comment, first disk, no attributes of MS-DOS, a plain file that its owner reads and writes.
        self.directory.extend_from_slice(&[0; 6]);
        self.directory.extend_from_slice(&(0o100_600_u32 << 16).to_le_bytes());
        self.directory.extend_from_slice(&offset.to_le_bytes());
        self.directory.extend_from_slice(name.as_bytes());
        if self.written > MOST { Err(too_large()) } else { Ok(()) }
    }

    /// Writes the directory; without it there is no ZIP file.
    ///
    /// # Errors
    /// The output's.
    pub fn finish(mut self) -> io::Result<W> {
        let too_large = || io::Error::other("the export is too large for a ZIP file: export into a folder");
        let offset = u32::try_from(self.written).map_err(|_| too_large())?;
        let directory = std::mem::take(&mut self.directory);
        let size = u32::try_from(directory.len()).map_err(|_| too_large())?;
        self.write(&directory)?;
        self.write(b"PK\x05\x06\0\0\0\0")?;
        let members = self.members.to_le_bytes();
        self.write(&[members, members].concat())?;
        self.write(&size.to_le_bytes())?;
        self.write(&offset.to_le_bytes())?;
        self.write(&[0; 2])?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

/// CRC-32 as ZIP counts it (polynomial 0xEDB88320).
fn checksum(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    !bytes.iter().fold(u32::MAX, |crc, byte| (crc >> 8) ^ TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize])
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let (mut crc, mut bit) = (at as u32, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[at] = crc;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
        assert_eq!(checksum(b""), 0);
    }
}
