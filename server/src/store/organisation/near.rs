//! Names that look like another spelling of the same person: a letter apart, in another order, with initials.

use std::collections::{HashMap, HashSet};

use super::identity::key;

/// Near names told of, at most.
const MOST_NEAR: usize = 3;
/// A word as long as this tells people apart, an initial does not.
const MIN_WORD_LETTERS: usize = 3;

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
    /// Which letters occur, a bit for each of 64 classes: most names are told apart without measuring.
    mask: u64,
    words: Vec<String>,
    /// The words by the alphabet: a slip and another order may come together.
    in_order: String,
}

impl Name {
    fn of(written: &str) -> Self {
        let key = key(written);
        let words: Vec<String> =
            key.split([' ', '.', '-']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let mask = key.chars().fold(0, |mask, c| mask | 1 << (u32::from(c) % 64));
        let mut in_order = words.clone();
        in_order.sort_unstable();
        let in_order = in_order.join(" ");
        Self { written: written.to_owned(), letters: key.chars().count(), mask, words, in_order, key }
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
        // A slip adds or takes a letter of the set, or does both.
        self.letters.abs_diff(other.letters) <= slips
            && (self.mask ^ other.mask).count_ones() as usize <= 2 * slips
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

    /// Up to three that may be the same person as `name`; one that is the same by its [`key`] is not among them.
    pub fn near(&self, name: &str) -> Vec<String> {
        let name = Name::of(name);
        let share_a_word: HashSet<usize> =
            name.words.iter().filter_map(|word| self.by_word.get(word)).flatten().copied().collect();
        let is_near = |(at, other): &(usize, &Name)| {
            other.key != name.key && (share_a_word.contains(at) && name.has_words_of(other) || name.is_slip_of(other))
        };
        let near = self.known.iter().enumerate().filter(is_near).map(|(_, other)| other.written.clone());
        near.take(MOST_NEAR).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
