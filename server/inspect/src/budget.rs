//! How much is unpacked of one file, with all that is packed inside of it.

use domain::file::Fault;

/// The most bytes in all: a workbook of a whole school's marks is a tenth.
const UNPACKED_MOST: usize = 512 * 1024 * 1024;
/// The most bytes of one part, which is held in memory.
const PART_MOST: usize = 256 * 1024 * 1024;
/// The most parts.
const PARTS_MOST: usize = 10_000;
/// What is packed more than so many times may be only so large. Markup packs to a fiftieth, a sheet of one repeated value to
/// a two-hundredth; the limit of DEFLATE, which only traps reach, is 1,032.
const RATIO_MOST: usize = 250;
const RATIO_FREE: usize = 16 * 1024 * 1024;
/// A chart in a presentation holds a workbook; a workbook in that holds nothing more.
const DEPTH_MOST: u8 = 2;

/// What may still be unpacked, counted while unpacking and never from what a header promises.
#[derive(Default)]
pub struct Budget {
    unpacked: usize,
    parts: usize,
    depth: u8,
}

impl Budget {
    /// How far the next part may grow: one byte over, and it is refused.
    pub fn room(&self) -> usize {
        PART_MOST.min(UNPACKED_MOST - self.unpacked)
    }

    /// Counts one part that took `packed` bytes in the file.
    pub fn spend(&mut self, packed: usize, unpacked: usize) -> Result<(), Fault> {
        if unpacked > RATIO_FREE && unpacked / RATIO_MOST > packed {
            return Err(Fault::Ratio);
        }
        if unpacked > self.room() {
            return Err(Fault::Unpacks);
        }
        self.unpacked += unpacked;
        Ok(())
    }

    /// Counts the parts of a package before any of them is read.
    pub fn parts(&mut self, parts: usize) -> Result<(), Fault> {
        self.parts = self.parts.saturating_add(parts);
        if self.parts > PARTS_MOST {
            return Err(Fault::ManyEntries);
        }
        Ok(())
    }

    /// Looks into a package inside this one, and refuses a well without a bottom.
    pub fn within<T>(
        &mut self,
        look: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.depth == DEPTH_MOST {
            return Err(Fault::Inside);
        }
        self.depth += 1;
        let seen = look(self);
        self.depth -= 1;
        seen
    }
}
