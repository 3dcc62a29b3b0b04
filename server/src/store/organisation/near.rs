//! Names that look like another spelling of the same person: a letter apart, in another order, with initials.

use std::collections::{HashMap, HashSet};

use super::identity::key;

/// Near names told of, at most.
const MOST_NEAR: usize = 3;
/// A word as long as this tells people apart, an initial does not.
const MIN_WORD_LETTERS: usize = 3;
/// A word that more names have tells nobody apart: first names, in a large directory.
const MOST_SHARING: usize = 100;

/// Names to look among.
#[derive(Debug, Default)]
pub struct Names {
    known: Vec<Name>,
    by_word: HashMap<String, Vec<usize>>,
}

#[derive(Debug)]
struct Name {
    written: String,
    key: String,
    letters: usize,
    /// Which pairs of neighbouring letters occur, a bit for each of 128 classes: nearly all names are told apart by it,
    /// without measuring.
    pairs: u128,
    words: Vec<String>,
    /// The words by the alphabet: a slip and another order may come together.
    in_order: String,
}

impl Name {
    fn of(written: &str) -> Self {
        let key = key(written);
        let words: Vec<String> =
            key.split([' ', '.', '-']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let pairs = words.iter().fold(0, |pairs, word| pairs | pairs_of(word));
        let mut in_order = words.clone();
        in_order.sort_unstable();
        let in_order = in_order.join(" ");
        Self { written: written.to_owned(), letters: key.chars().count(), pairs, words, in_order, key }
    }

    /// Letters that may differ in a slip of the hand.
    const fn slips(&self) -> usize {
        match self.letters {
            0..4 => 0,
            4..8 => 1,
            _ => 2,
        }
    }

    fn is_slip_of(&self, other: &Self) -> bool {
        let slips = self.slips();
        self.letters.abs_diff(other.letters) <= slips
            && (self.pairs ^ other.pairs).count_ones() as usize <= PAIRS_OF_A_SLIP * slips
            && (strsim::osa_distance(&self.key, &other.key) <= slips
                || strsim::osa_distance(&self.in_order, &other.in_order) <= slips)
    }

    /// Whether each word of the shorter name is a word of the longer one, or its first letter, in whatever order.
    fn has_words_of(&self, other: &Self) -> bool {
        let (short, long) = if self.words.len() <= other.words.len() { (self, other) } else { (other, self) };
        let mut free: Vec<&str> = long.words.iter().map(String::as_str).collect();
        // Whole words first, so that an initial does not take the word of another.
        let mut words: Vec<&str> = short.words.iter().map(String::as_str).collect();
        words.sort_by_key(|word| !free.contains(word));
        words.into_iter().all(|word| {
            let place = free.iter().position(|other| *other == word);
            let place = place.or_else(|| free.iter().position(|other| is_initial(word, other)));
            place.map(|place| free.swap_remove(place)).is_some()
        })
    }
}

/// Two letters exchanged are three pairs that go and three that come; no other slip changes more.
const PAIRS_OF_A_SLIP: usize = 6;

fn pairs_of(word: &str) -> u128 {
    let after = word.chars().chain([' ']);
    let pairs = std::iter::once(' ').chain(word.chars()).zip(after);
    pairs.fold(0, |pairs, (one, next)| pairs | 1 << ((u32::from(one) * 31 + u32::from(next)) % 128))
}

fn is_initial(one: &str, other: &str) -> bool {
    let is_letter = |word: &str| word.chars().count() == 1;
    (is_letter(one) || is_letter(other)) && one.chars().next() == other.chars().next()
}

impl Names {
    /// Of these names.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut among = Self::default();
        names.into_iter().for_each(|name| among.add(name));
        among
    }

    /// One more.
    pub fn add(&mut self, name: &str) {
        let name = Name::of(name);
        for word in name.words.iter().filter(|word| word.chars().count() >= MIN_WORD_LETTERS) {
            self.by_word.entry(word.clone()).or_default().push(self.known.len());
        }
        self.known.push(name);
    }

    /// Up to three that may be the same person as `name`, the most alike first; one that is the same by its [`key`] is not
    /// among them.
    pub fn near(&self, name: &str) -> Vec<String> {
        let name = Name::of(name);
        let words = name.words.iter().filter_map(|word| self.by_word.get(word));
        let share_a_word: HashSet<usize> =
            words.filter(|sharing| sharing.len() <= MOST_SHARING).flatten().copied().collect();
        let is_near = |(at, other): &(usize, &Name)| {
            other.key != name.key && (share_a_word.contains(at) && name.has_words_of(other) || name.is_slip_of(other))
        };
        let near = self.known.iter().enumerate().filter(is_near).map(|(_, other)| other);
        let mut near: Vec<&Name> = near.collect();
        near.sort_by_cached_key(|other| strsim::osa_distance(&name.in_order, &other.in_order));
        near.into_iter().take(MOST_NEAR).map(|other| other.written.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_large_directory_a_name_is_found_without_measuring_all() {
        let word =
            |number: u32| (0..8).map(|at| char::from(b'a' + (number >> (2 * at) & 3) as u8 * 5 + at as u8)).collect();
        let name = |number: u32| -> String { [word(number), "common".to_owned(), word(number * 77 + 5)].join(" ") };
        let mut names = Names::default();
        (0..3_000).for_each(|number| names.add(&name(number)));
        let [first, common, last] = name(1_234).split(' ').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
        assert!(names.near(&format!("{last} {first} {common}")).contains(&name(1_234)));
    }

    #[test]
    fn of_many_the_most_alike_are_told() {
        let mut names = Names::of(["Ким А.", "Ким Б.", "Ким В.", "Ким Анна Ивановна"]);
        assert_eq!(names.near("Ким")[0], "Ким А.");
        names.add("Кима");
        assert_eq!(names.near("Ким Анна Иванова"), ["Ким Анна Ивановна", "Ким А."]);
    }

    #[test]
    fn another_spelling_of_a_name_is_near_and_another_name_is_not() {
        let names = Names::of(["Болат Серикович Ахметов", "Айгүл Сейтова", "Семёнова Анна", "Ким"]);
        for (asked, near) in [
            ("Ахметов Болат Серикович", Some("Болат Серикович Ахметов")),
            ("Ахметов Б.С.", Some("Болат Серикович Ахметов")),
            ("Ахметов Б. С.", Some("Болат Серикович Ахметов")),
            ("Болат С.", Some("Болат Серикович Ахметов")),
            ("Болат Ахметов", Some("Болат Серикович Ахметов")),
            ("Айгул Сейтова", Some("Айгүл Сейтова")),
            ("Анна Семенова", Some("Семёнова Анна")),
            ("Сейтова Айгул", Some("Айгүл Сейтова")),
            ("Семенова Анна", Some("Семёнова Анна")),
            ("Ахметов А.К.", None),
            ("Тим", None),
            ("айгүл  сейтова", None),
            ("Дана Оспанова", None),
        ] {
            assert_eq!(names.near(asked), near.into_iter().map(str::to_owned).collect::<Vec<_>>(), "{asked}");
        }
    }
}
