//! A page of help, taken apart. It is laid out by hand, so whatever has an unknown shape is an error, not text of another kind.

/// What a page of help says.
#[derive(Debug, Default)]
pub(super) struct Help<'a> {
    /// Its first paragraph.
    pub(super) about: String,
    pub(super) usage: Vec<&'a str>,
    pub(super) parts: Vec<Part<'a>>,
}

/// What stands under a heading; what stands under none has an empty one.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) heading: &'a str,
    pub(super) blocks: Vec<Block<'a>>,
}

#[derive(Debug)]
pub(super) enum Block<'a> {
    Paragraph(String),
    Entry(Entry<'a>),
}

/// `-t, --threads N   SWAGIP_THREADS`, and the text after or below that; or an example and what it does.
#[derive(Debug, Default)]
pub(super) struct Entry<'a> {
    pub(super) term: &'a str,
    /// Nothing, or `SWAGIP_LISTEN, else PORT`.
    pub(super) variable: &'a str,
    /// In lines, as they are in the help.
    pub(super) text: String,
}

impl<'a> Entry<'a> {
    /// The name after `--`.
    pub(super) fn long(&self) -> Option<&'a str> {
        self.term.split("--").nth(1)?.split([' ', '[']).next()
    }

    /// `N` of `--threads N`, `SWITCH` of `--explain[=SWITCH]`.
    pub(super) fn value(&self) -> &'a str {
        let value = self.term.rsplit_once([' ', '=']).map_or("", |(_, value)| value);
        match self.term.contains("[=") {
            true => value.trim_end_matches(']'),
            false if value.starts_with('-') => "",
            false => value,
        }
    }

    /// A line that begins an entry: columns are two spaces apart.
    fn new(line: &'a str) -> Self {
        let mut columns = line.split("  ").map(str::trim).filter(|column| !column.is_empty()).peekable();
        let term = columns.next().unwrap_or_default();
        let variable = columns.next_if(|column| column.starts_with("SWAGIP_")).unwrap_or_default();
        let text = columns.collect::<Vec<_>>();
        // A default and what it is for.
        let text = if text.len() == 2 { format!("Default: {}, {}", text[0], text[1]) } else { text.concat() };
        Entry { term, variable, text }
    }
}

impl<'a> Help<'a> {
    pub(super) fn new(page: &'a str) -> Self {
        let mut help = Help::default();
        for paragraph in page.trim().split("\n\n") {
            let lines: Vec<&str> = paragraph.lines().collect();
            match lines[..] {
                _ if help.about.is_empty() => help.about = lines.join("\n"),
                [first, ..] if first.starts_with("Usage: ") => {
                    help.usage = lines.iter().map(|line| line.trim_start_matches("Usage:").trim()).collect();
                }
                [heading, below, ..] if is_indented(below) && !is_indented(heading) => help.begin(heading, &lines[1..]),
                // Entries under no heading.
                [first, ..] if is_indented(first) && help.parts.is_empty() => help.begin("", &lines),
                [first, ..] if is_indented(first) => help.add(&lines),
                _ => help.parts.push(Part { heading: "", blocks: vec![Block::Paragraph(lines.join("\n"))] }),
            }
        }
        help
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.parts.iter().flat_map(|part| &part.blocks).filter_map(|block| match block {
            Block::Entry(entry) => Some(entry),
            Block::Paragraph(_) => None,
        })
    }

    pub(super) fn entry(&self, long: &str) -> Option<&Entry<'a>> {
        self.entries().find(|entry| entry.long() == Some(long))
    }

    /// `Limits (times are …)` is a heading and a paragraph.
    fn begin(&mut self, heading: &'a str, lines: &[&'a str]) {
        let (heading, note) = heading.split_once(" (").unwrap_or((heading, ""));
        let mut blocks = Vec::new();
        if let Some(note) = note.strip_suffix(')') {
            blocks.push(Block::Paragraph(format!("{}{}.", note[..1].to_uppercase(), &note[1..])));
        }
        self.parts.push(Part { heading, blocks });
        self.add(lines);
    }

    fn add(&mut self, lines: &[&'a str]) {
        let part = self.parts.last_mut().expect("a heading stands above");
        for line in lines {
            let text = line.trim();
            let depth = line.len() - line.trim_start().len();
            let begins = depth <= 6 && (text.starts_with('-') || text.contains("  ") || part.heading == "Examples");
            match part.blocks.last_mut() {
                _ if begins => part.blocks.push(Block::Entry(Entry::new(text))),
                Some(Block::Entry(entry)) => append(&mut entry.text, text),
                Some(Block::Paragraph(paragraph)) if depth == 2 => append(paragraph, text),
                None if depth == 2 => part.blocks.push(Block::Paragraph(text.to_owned())),
                last => panic!("{line:?} after {last:?}"),
            }
        }
    }
}

fn is_indented(line: &str) -> bool {
    line.starts_with(' ')
}

fn append(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}
