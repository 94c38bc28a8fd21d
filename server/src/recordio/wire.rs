//! Protocol buffers as they are written: fields one after another, read where they lie.

/// What was expected of bytes that are something else.
pub(super) type Broken = &'static str;

/// The bytes of a message that are not read yet; as an iterator, its fields with their numbers. A broken field is the last.
#[derive(Clone)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

/// What a field holds.
pub(super) enum Content<'a> {
    /// A text, a message or packed numbers.
    Bytes(&'a [u8]),
    /// One number, as its bits.
    Number(u64),
}

/// How numbers are written where they are packed.
#[derive(Clone, Copy)]
pub(super) enum Coding {
    Varint,
    Fixed32,
    Fixed64,
}

impl Coding {
    /// Takes one number's bits off the start of `bytes`.
    pub(super) fn take(self, bytes: &mut &[u8]) -> Result<u64, Broken> {
        match self {
            Self::Varint => varint(bytes),
            Self::Fixed32 => fixed(bytes).map(|bits| u64::from(u32::from_le_bytes(bits))),
            Self::Fixed64 => fixed(bytes).map(u64::from_le_bytes),
        }
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<(u64, Content<'a>), Broken> {
        let tag = varint(&mut self.0)?;
        let content = match tag & 7 {
            0 => Coding::Varint.take(&mut self.0).map(Content::Number),
            1 => Coding::Fixed64.take(&mut self.0).map(Content::Number),
            2 => bytes(&mut self.0).map(Content::Bytes),
            5 => Coding::Fixed32.take(&mut self.0).map(Content::Number),
            _ => Err("a protobuf message"),
        };
        Ok((tag >> 3, content?))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Content<'a>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

fn bytes<'a>(from: &mut &'a [u8]) -> Result<&'a [u8], Broken> {
    let length = usize::try_from(varint(from)?).unwrap_or(usize::MAX);
    let (bytes, rest) = from.split_at_checked(length).ok_or("a protobuf message that is not cut off")?;
    *from = rest;
    Ok(bytes)
}

fn fixed<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], Broken> {
    let (bits, rest) = from.split_first_chunk().ok_or("a protobuf number that is not cut off")?;
    *from = rest;
    Ok(*bits)
}

/// A number in groups of seven bits, the lowest first, each but the last marked by its highest bit.
fn varint(from: &mut &[u8]) -> Result<u64, Broken> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = from.split_first().ok_or("a protobuf number that is not cut off")?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err("a protobuf number of at most ten bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_up_to_ten_bytes() {
        let read = |mut bytes: &[u8]| varint(&mut bytes);
        assert_eq!(read(&[0xac, 0x02]), Ok(300));
        assert_eq!(read(&[0xff; 9].into_iter().chain([1]).collect::<Vec<_>>()), Ok(u64::MAX));
        assert!(read(&[0x80]).is_err() && read(&[0xff; 11]).is_err() && read(&[]).is_err());
    }

    #[test]
    fn a_broken_field_is_the_last() {
        let numbers = |bytes| Fields(bytes).map(|field| field.map(|(number, _)| number)).collect::<Vec<_>>();
        assert_eq!(numbers(&[0x08, 1, 0x12, 1, b'a', 0x1d, 0, 0, 0, 0]), [Ok(1), Ok(2), Ok(3)]);
        assert_eq!(numbers(&[0x08, 1, 0x12, 9, b'a']), [Ok(1), Err("a protobuf message that is not cut off")]);
        assert_eq!(numbers(&[0x0b, 0x08, 1]), [Err("a protobuf message")]);
    }
}
