//! Points on the globe as people and spreadsheets write them: latitude first, in one column or in two.

/// What parts two numbers beyond doubt.
const BETWEEN: [char; 4] = [';', '/', '|', '\n'];

/// The numbers of a cell, as written. A comma is a decimal comma unless there are points, or as many commas as make two numbers.
pub fn numbers(cell: &str) -> Vec<String> {
    let bare = cell.trim().trim_start_matches('(').trim_end_matches(')');
    let by: Vec<&str> =
        if bare.contains(BETWEEN) { bare.split(BETWEEN).collect() } else { bare.split_whitespace().collect() };
    let parts = by.into_iter().map(|part| part.trim().trim_end_matches(',').trim_end());
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    let [only] = parts[..] else { return parts.into_iter().map(str::to_owned).collect() };
    match only.split(',').collect::<Vec<_>>()[..] {
        [one, other] if only.contains('.') => vec![one.to_owned(), other.to_owned()],
        [a, b, c, d] => vec![format!("{a},{b}"), format!("{c},{d}")],
        _ => vec![only.to_owned()],
    }
}

/// Degrees with their fraction. Minutes and seconds are not read.
pub fn degrees(number: &str) -> Option<f64> {
    let bare = number.trim().trim_end_matches('°').replace(',', ".").replace('\u{2212}', "-");
    let is_number = bare.bytes().all(|byte| byte.is_ascii_digit() || b".+-".contains(&byte));
    bare.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_read_however_its_numbers_are_parted() {
        for cell in [
            "43,238949; 76,889709",
            "43.238949, 76.889709",
            "43.238949,76.889709",
            "43,238949,76,889709",
            "43,238949, 76,889709",
            "43,238949 76,889709",
            "43.238949\u{a0}76.889709",
            "(43.238949°; 76.889709°)",
            "43.238949/76.889709",
            "43,238949\n76,889709",
        ] {
            let read: Vec<_> = numbers(cell).iter().map(|number| degrees(number)).collect();
            assert_eq!(read, [Some(43.238_949), Some(76.889_709)], "{cell:?}");
        }
        assert_eq!((degrees("−12,5"), degrees("+7"), degrees(" 43 ")), (Some(-12.5), Some(7.0), Some(43.0)));
    }

    #[test]
    fn what_is_no_point_is_none() {
        for cell in
            ["43,238949", "43.238949", "", "43°14'20\" 76°53'23\"", "1;2;3", "[76.9,43.2]", "POINT(76.9 43.2)", "дома"]
        {
            let read: Option<Vec<f64>> = numbers(cell).iter().map(|number| degrees(number)).collect();
            assert!(read.is_none_or(|read| read.len() != 2), "{cell:?}");
        }
        for number in ["nan", "inf", "1e5", "", "43.2.1", "N43"] {
            assert_eq!(degrees(number), None, "{number:?}");
        }
    }
}
