//! Rosters as schools export them, read by the real child in its cage, and what else an office might choose by mistake.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use inspect::{
    Inspector, Limits,
    roster::{
        CELL_MOST, COLUMNS_MOST, Encoding, Format, ROWS_MOST, Refused, Row, Rows, Source, Table,
    },
};
use rust_xlsxwriter::{Format as Style, Formula, Workbook, Worksheet};
use std::{fmt::Write as _, io::Write as _, path::Path, time::Duration};
use tempfile::{NamedTempFile, TempDir};

const CHILD: &str = env!("CARGO_BIN_EXE_inspect");

fn inspector() -> Inspector {
    Inspector::new(Path::new(CHILD), None::<&str>, Limits::default())
}

fn file(content: impl AsRef<[u8]>) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content.as_ref()).unwrap();
    file.flush().unwrap();
    file
}

async fn table(content: impl AsRef<[u8]>) -> Result<Table, Refused> {
    inspector().roster(file(content).path()).await
}

/// All rows, each with its line.
async fn all(rows: &mut Rows) -> Result<Vec<(u64, Vec<String>)>, Refused> {
    let mut all = Vec::new();
    while let Some(Row { line, cells }) = rows.next().await? {
        all.push((line, cells));
    }
    Ok(all)
}

/// The whole of a file: its table, and its rows.
async fn read(content: impl AsRef<[u8]>) -> Result<(Table, Vec<(u64, Vec<String>)>), Refused> {
    let mut table = table(content).await?;
    let rows = all(&mut table.rows).await?;
    Ok((table, rows))
}

async fn refused(content: impl AsRef<[u8]>) -> Refused {
    match read(content).await {
        Ok((_, rows)) => panic!("{} rows were read", rows.len()),
        Err(refused) => refused,
    }
}

fn row(line: u64, cells: &[&str]) -> (u64, Vec<String>) {
    (line, cells.iter().map(|&cell| cell.to_owned()).collect())
}

fn encoded(text: &str, encoding: Encoding, marked: bool) -> Vec<u8> {
    let text = if marked {
        format!("\u{feff}{text}")
    } else {
        text.to_owned()
    };
    match encoding {
        Encoding::Utf8 => text.into_bytes(),
        Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Encoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Encoding::Windows1252 => text
            .chars()
            .map(|c| {
                if c == '€' {
                    0x80
                } else {
                    u8::try_from(u32::from(c)).unwrap()
                }
            })
            .collect(),
    }
}

#[tokio::test]
async fn each_encoding_with_each_delimiter_is_read() {
    for encoding in [
        Encoding::Utf8,
        Encoding::Utf16Le,
        Encoding::Utf16Be,
        Encoding::Windows1252,
    ] {
        for delimiter in [',', ';', '\t'] {
            for marked in [false, true] {
                if marked && encoding == Encoding::Windows1252 {
                    continue;
                }
                for end in ["\r\n", "\n", "\r"] {
                    let text = "UPN|Surname|Forename|Dinner money\nB801200005001|Müller|Zoë|€ 2\nP207000016049|O’Brien|Seán|\n"
                        .replace('’', "'")
                        .replace('|', &delimiter.to_string())
                        .replace('\n', end);
                    let (table, rows) = read(encoded(&text, encoding, marked)).await.unwrap();
                    let case = format!("{encoding:?} {delimiter:?} {marked} {end:?}");
                    assert_eq!(table.format, Format::Csv, "{case}");
                    assert_eq!(table.encoding, Some(encoding), "{case}");
                    assert_eq!(table.delimiter, Some(delimiter), "{case}");
                    assert_eq!(table.source, None, "{case}");
                    assert_eq!(
                        table.header,
                        ["UPN", "Surname", "Forename", "Dinner money"],
                        "{case}"
                    );
                    let expected = [
                        row(2, &["B801200005001", "Müller", "Zoë", "€ 2"]),
                        row(3, &["P207000016049", "O'Brien", "Seán", ""]),
                    ];
                    assert_eq!(rows, expected, "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_row_stands_in_the_line_where_a_person_finds_it() {
    let text = "Green Lane Primary\r\n,,,\r\n\r\nPrinted,3/9/2026\r\n\"Full\r\nname\",Class,Address,,\r\n\r\n\
        \"Okafor, \"\"Amara\"\"\",7B,\"1 High Street\r\nLeeds\r\n\",,\r\n,,,,\r\n\r\n Patel ,7B\r\nDev,7C,x,y,z,\r\n,,\r\n\r\n";
    let (table, rows) = read(text).await.unwrap();
    assert_eq!(table.header, ["Full name", "Class", "Address"]);
    let expected = [
        row(8, &["Okafor, \"Amara\"", "7B", "1 High Street\nLeeds"]),
        row(13, &["Patel", "7B", ""]),
        // What is behind the last column is not dropped in silence.
        row(14, &["Dev", "7C", "x", "y", "z"]),
    ];
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn the_line_that_excel_writes_for_itself_is_no_title() {
    let (table, rows) = read("sep=;\nUPN;Name, first;Class\nx;a,b,c,d;7B\n")
        .await
        .unwrap();
    assert_eq!(table.delimiter, Some(';'));
    assert_eq!(table.header, ["UPN", "Name, first", "Class"]);
    assert_eq!(rows, [row(3, &["x", "a,b,c,d", "7B"])]);
}

#[tokio::test]
async fn a_formula_in_a_table_of_values_is_text() {
    let text =
        "UPN,Surname,Forename\n=1+1,\"=HYPERLINK(\"\"http://a.example\"\",\"\"x\"\")\",@SUM(A1)\n";
    let (_, rows) = read(text).await.unwrap();
    assert_eq!(
        rows,
        [row(
            2,
            &["=1+1", "=HYPERLINK(\"http://a.example\",\"x\")", "@SUM(A1)"]
        )]
    );
}

#[tokio::test]
async fn what_does_not_show_is_taken_out_of_a_cell() {
    let text = format!(
        "UPN,Surname,Forename\n{}x,O\u{1}kafor,\u{202e}Amara\u{200b}\n",
        " ".repeat(200)
    );
    let (_, rows) = read(text).await.unwrap();
    assert_eq!(rows, [row(2, &["x", "Okafor", "Amara"])]);
}

#[tokio::test]
async fn forty_columns_are_read_and_so_many_as_there_may_be() {
    for columns in [40, COLUMNS_MOST] {
        let header: Vec<String> = (0..columns)
            .map(|column| format!("Column {column}"))
            .collect();
        let pupil: Vec<String> = (0..columns).map(|column| column.to_string()).collect();
        let text = format!("{}\n{}\n", header.join(","), pupil.join(","));
        let (table, rows) = read(text).await.unwrap();
        assert_eq!(table.header, header);
        assert_eq!(rows, [(2, pupil)]);
    }
    let wide = vec!["Column"; COLUMNS_MOST + 1].join(",");
    assert_eq!(refused(&wide).await, Refused::ManyColumns);
    let later = format!("UPN,Surname,Forename\nx,y,z\n{wide}\n");
    assert_eq!(refused(later).await, Refused::ManyColumns);
}

#[tokio::test]
async fn a_cell_is_as_long_as_it_may_be_and_no_longer() {
    let cell = "é".repeat(CELL_MOST);
    let (_, rows) = read(format!("UPN,Surname,Forename\nx,{cell},z\n"))
        .await
        .unwrap();
    assert_eq!(rows[0].1[1], cell);
    // The longest line there can be: characters of four bytes in every cell.
    let cells = vec!["😀".repeat(CELL_MOST); COLUMNS_MOST].join(",");
    let (_, rows) = read(format!("UPN,Surname,Forename\n{cells}\n"))
        .await
        .unwrap();
    assert_eq!(rows[0].1.len(), COLUMNS_MOST);
    // And those that JSON writes as two.
    let cells = vec!["\\".repeat(CELL_MOST); COLUMNS_MOST].join(",");
    let (_, rows) = read(format!("UPN,Surname,Forename\n{cells}\n"))
        .await
        .unwrap();
    assert_eq!(rows[0].1[COLUMNS_MOST - 1], "\\".repeat(CELL_MOST));
    let long = format!("UPN,Surname,Forename\n\nx,y,z\nx,{cell}e,z\n");
    assert_eq!(refused(long).await, Refused::LongCell(4));
}

#[tokio::test]
async fn a_quotation_mark_that_is_never_closed_swallows_no_pupil() {
    let text = "UPN,Surname,Forename\nx,Okafor,Amara\ny,\"Patel,Dev\nz,Nowak,Ola\n";
    assert_eq!(refused(text).await, Refused::OpenQuote(3));
    assert_eq!(
        refused("UPN,Surname,\"Forename\nx,y,z\n").await,
        Refused::OpenQuote(1)
    );
    // The control: closed at the very end of the file, and with an empty line in it.
    let (_, rows) = read("UPN,Surname,Forename\nx,y,\"z\n\n\"").await.unwrap();
    assert_eq!(rows, [row(2, &["x", "y", "z"])]);
}

/// So many rows of forty columns, as one line after another.
fn hundred_thousand(rows: u64) -> String {
    let mut text: Vec<String> = (0..40).map(|column| format!("Column {column}")).collect();
    "UPN".clone_into(&mut text[0]);
    let mut text = text.join(",");
    text.push('\n');
    for pupil in 0..rows {
        write!(text, "{pupil}").unwrap();
        text.push_str(&",Okafor-1".repeat(39));
        text.push('\n');
    }
    text
}

#[tokio::test]
async fn a_hundred_thousand_rows_are_read_in_little_memory_and_not_one_more() {
    let file = file(hundred_thousand(ROWS_MOST));
    let mut table = inspector().roster(file.path()).await.unwrap();
    assert_eq!(table.header.len(), 40);
    let mut count = 0;
    while let Some(row) = table.rows.next().await.unwrap() {
        assert_eq!((row.line, row.cells.len()), (count + 2, 40));
        count += 1;
        if count == ROWS_MOST - 5_000 {
            // The child waits, having read nearly all of it.
            let most = peak(table.rows.process().unwrap());
            assert!(most < 32 * 1024, "{most} KiB");
        }
    }
    assert_eq!(count, ROWS_MOST);
    assert_eq!(
        refused(hundred_thousand(ROWS_MOST + 1)).await,
        Refused::ManyRows
    );
}

/// The most memory that a process has had at once, in KiB.
fn peak(process: u32) -> u64 {
    told_of(&process.to_string(), "VmHWM:")
}

/// A number that the kernel tells of a process.
fn told_of(process: &str, what: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_child_has_given_up_its_rights_before_it_says_anything() {
    let table = table(hundred_thousand(ROWS_MOST)).await.unwrap();
    let process = table.rows.process().unwrap().to_string();
    for (what, more) in [("Seccomp_filters:", 1), ("NoNewPrivs:", 1)] {
        // Wherever the tests run, they may have fewer rights than any process.
        let ours = told_of("self", what);
        let most = if what == "NoNewPrivs:" { 1 } else { u64::MAX };
        assert_eq!(told_of(&process, what), (ours + more).min(most), "{what}");
    }
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let limit = |what: &str| {
        let line = limits
            .lines()
            .find_map(|line| line.strip_prefix(what))
            .unwrap();
        line.split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(limit("Max cpu time"), inspect::child::CPU_MOST.to_string());
    assert_eq!(
        limit("Max data size"),
        inspect::child::MEMORY_MOST.to_string()
    );
    assert_eq!(limit("Max file size"), "0");
}

fn workbook(fill: impl FnOnce(&mut Workbook)) -> Vec<u8> {
    let mut book = Workbook::new();
    fill(&mut book);
    book.save_to_buffer().unwrap()
}

fn line(sheet: &mut Worksheet, at: u32, cells: &[&str]) {
    for (column, cell) in (0..).zip(cells) {
        sheet.write(at, column, *cell).unwrap();
    }
}

#[tokio::test]
async fn a_workbook_is_read_as_it_is_shown() {
    let file = workbook(|book| {
        let sheet = book.add_worksheet().set_name("Old").unwrap();
        line(sheet, 0, &["UPN", "Surname", "Forename"]);
        sheet.set_hidden(true);
        book.add_worksheet().set_name("Empty").unwrap();
        let sheet = book
            .add_worksheet()
            .set_name("Pupils")
            .unwrap()
            .set_active(true);
        let (day, moment) = (
            Style::new().set_num_format("dd/mm/yyyy"),
            Style::new().set_num_format("dd/mm/yyyy hh:mm"),
        );
        let centre = Style::new();
        sheet
            .merge_range(0, 0, 0, 5, "Green Lane Primary", &centre)
            .unwrap();
        line(
            sheet,
            2,
            &[
                "UPN",
                "Surname",
                "Date of\nbirth",
                "Admission number",
                "Mean",
                "FSM",
                "Age",
                "Joined",
                "Wrong",
            ],
        );
        line(sheet, 3, &["B801200005001", " Müller "]);
        sheet.write_number_with_format(3, 2, 41_885, &day).unwrap();
        sheet.write(3, 3, 1234).unwrap();
        sheet.write(3, 4, 2.5).unwrap();
        sheet.write(3, 5, true).unwrap();
        sheet
            .write(3, 6, Formula::new("=6*2").set_result("12"))
            .unwrap();
        sheet
            .write_number_with_format(3, 7, 41_885.437_5, &moment)
            .unwrap();
        sheet
            .write(3, 8, Formula::new("=1/0").set_result("#DIV/0!"))
            .unwrap();
        line(sheet, 6, &["=HYPERLINK(\"http://a.example\")", "Patel"]);
        sheet.write(8, 0, "").unwrap();
        let sheet = book.add_worksheet().set_name("Staff").unwrap();
        line(sheet, 0, &["Name", "Post", "Since"]);
    });
    let (table, rows) = read(file).await.unwrap();
    assert_eq!(
        (table.format, table.encoding, table.delimiter),
        (Format::Xlsx, None, None)
    );
    let header = [
        "UPN",
        "Surname",
        "Date of birth",
        "Admission number",
        "Mean",
        "FSM",
        "Age",
        "Joined",
        "Wrong",
    ];
    assert_eq!(table.header, header);
    let expected = [
        row(
            4,
            &[
                "B801200005001",
                "Müller",
                "2014-09-03",
                "1234",
                "2.5",
                "TRUE",
                "12",
                "2014-09-03 10:30",
                "",
            ],
        ),
        row(
            7,
            &[
                "=HYPERLINK(\"http://a.example\")",
                "Patel",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
            ],
        ),
    ];
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn a_workbook_of_the_old_macintosh_counts_its_days_from_1904() {
    let file = workbook(|book| {
        let sheet = book.add_worksheet();
        line(sheet, 0, &["UPN", "Surname", "Date of birth"]);
        line(sheet, 1, &["x", "Okafor"]);
        let day = Style::new().set_num_format("yyyy-mm-dd");
        sheet.write_number_with_format(1, 2, 40_423, &day).unwrap();
    });
    let (_, rows) = read(&file).await.unwrap();
    assert_eq!(rows[0].1[2], "2010-09-02");
    let file = changed(&file, "xl/workbook.xml", |part| {
        assert!(part.contains("<workbookPr "), "{part}");
        part.replace("<workbookPr ", "<workbookPr date1904=\"1\" ")
    });
    let (_, rows) = read(file).await.unwrap();
    assert_eq!(rows[0].1[2], "2014-09-03");
}

/// A workbook in which one part was changed, packed anew.
fn changed(package: &[u8], part: &str, change: impl Fn(String) -> String) -> Vec<u8> {
    let mut parts = zip::ZipArchive::new(std::io::Cursor::new(package)).unwrap();
    let mut to = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for index in 0..parts.len() {
        let mut found = parts.by_index(index).unwrap();
        let name = found.name().unwrap().into_owned();
        let mut content = String::new();
        std::io::Read::read_to_string(&mut found, &mut content).unwrap();
        if name == part {
            content = change(content);
        }
        let packed = zip::write::SimpleFileOptions::default();
        to.start_file(name, packed).unwrap();
        to.write_all(content.as_bytes()).unwrap();
    }
    to.finish().unwrap().into_inner()
}

#[tokio::test]
async fn a_workbook_of_a_hundred_thousand_rows_is_read_within_the_limits_of_the_child() {
    let small = workbook(|book| {
        line(book.add_worksheet(), 0, &["Okafor", "UPN", "Column"]);
    });
    // Numbers, and texts that all cells share.
    let large = changed(&small, "xl/worksheets/sheet1.xml", |part| {
        let (before, rest) = part.split_once("<sheetData>").unwrap();
        let (_, after) = rest.split_once("</sheetData>").unwrap();
        let mut sheet = format!("{before}<sheetData><row r=\"1\">");
        sheet.push_str(&"<c t=\"s\"><v>2</v></c>".repeat(40));
        sheet.push_str("</row>");
        for row in 2..=ROWS_MOST + 1 {
            write!(sheet, "<row r=\"{row}\">").unwrap();
            for column in 0..20 {
                write!(
                    sheet,
                    "<c><v>{}</v></c><c t=\"s\"><v>0</v></c>",
                    row * 40 + column
                )
                .unwrap();
            }
            sheet.push_str("</row>");
        }
        sheet + "</sheetData>" + after
    });
    let mut table = table(&large).await.unwrap();
    let mut count = 0;
    while let Some(row) = table.rows.next().await.unwrap() {
        assert_eq!(row.line, count + 2);
        assert_eq!((row.cells.len(), row.cells[39].as_str()), (40, "Okafor"));
        count += 1;
    }
    assert_eq!(count, ROWS_MOST);
}

const CTF: &str = r#"<?xml version="1.0" encoding="ISO-8859-1"?>
<!-- Made by hand -->
<CTfile>
  <Header>
    <DocumentName>Common Transfer File</DocumentName>
    <CTFversion>24.0</CTFversion>
    <DateTime>2026-09-03T10:30:00</DateTime>
    <SourceSchool><LEA>801</LEA><Estab>2000</Estab><SchoolName>Green &amp; Lane</SchoolName><AcademicYear>2026</AcademicYear></SourceSchool>
    <DestSchool><LEA>207</LEA><Estab>0000</Estab></DestSchool>
  </Header>
  <CTFpupilData>
    <Pupil>
      <UPN>B801200005001</UPN><UniqueLearnerNumber>1234567890</UniqueLearnerNumber>
      <Surname>M&#252;ller</Surname><Forename>Zoë</Forename><DOB>2014-09-03</DOB><Sex>F</Sex>
      <BasicDetails>
        <FormerSurname>Braun</FormerSurname><PreferredForename>Zo</PreferredForename><NCyearActual>7</NCyearActual>
        <Ethnicity>WOTH</Ethnicity><MedicalFlag>true</MedicalFlag>
        <Languages><Type><LanguageType>F</LanguageType><Language>GER</Language></Type><Type><LanguageType>H</LanguageType><Language>ENG</Language></Type></Languages>
      </BasicDetails>
      <FSMhistory><FSMinstance><FSMstartDate>2020-09-01</FSMstartDate><FSMendDate>2021-09-01</FSMendDate></FSMinstance>
        <FSMinstance><FSMstartDate>2025-09-01</FSMstartDate><FSMendDate>2026-12-01</FSMendDate></FSMinstance></FSMhistory>
      <SENhistory><SEN><StartDate>2025-01-01</StartDate><SENprovision>E</SENprovision></SEN>
        <SEN><StartDate>2022-01-01</StartDate><SENprovision>K</SENprovision></SEN></SENhistory>
      <LookedAfter><InCare>true</InCare><CareAuthority>801</CareAuthority></LookedAfter>
      <Contacts><Contact><Surname>Braun</Surname><Forename>Anna</Forename></Contact></Contacts>
    </Pupil>
    <Pupil>
      <UPN>P207000016049</UPN><Surname>Patel</Surname><Forename>Dev</Forename><DOB>2014-01-31</DOB><Gender>M</Gender>
      <BasicDetails/><FSMhistory><FSMinstance><FSMendDate>2026-09-02</FSMendDate></FSMinstance></FSMhistory>
    </Pupil>
  </CTFpupilData>
</CTfile>
"#;

#[tokio::test]
async fn a_transfer_file_is_a_table_of_its_pupils() {
    let latin = encoded(CTF, Encoding::Windows1252, false);
    let wide = encoded(
        &CTF.replace("ISO-8859-1", "UTF-16"),
        Encoding::Utf16Le,
        true,
    );
    let utf8 = encoded(&CTF.replace("ISO-8859-1", "UTF-8"), Encoding::Utf8, true);
    for (file, encoding) in [
        (latin, Encoding::Windows1252),
        (wide, Encoding::Utf16Le),
        (utf8, Encoding::Utf8),
    ] {
        let (table, rows) = read(file).await.unwrap();
        assert_eq!(
            (table.format, table.encoding),
            (Format::Ctf, Some(encoding))
        );
        let source = Source {
            la: "801".to_owned(),
            establishment: "2000".to_owned(),
            name: "Green & Lane".to_owned(),
        };
        assert_eq!(table.source, Some(source));
        let header = [
            "UPN",
            "Surname",
            "Forename",
            "Preferred forename",
            "DOB",
            "Sex",
            "NC year",
            "Ethnicity",
            "SEN provision",
            "FSM",
            "In care",
            "Home language",
        ];
        assert_eq!(table.header, header);
        let expected = [
            row(
                12,
                &[
                    "B801200005001",
                    "Müller",
                    "Zoë",
                    "Zo",
                    "2014-09-03",
                    "F",
                    "7",
                    "WOTH",
                    "E",
                    "Y",
                    "Y",
                    "ENG",
                ],
            ),
            row(
                27,
                &[
                    "P207000016049",
                    "Patel",
                    "Dev",
                    "",
                    "2014-01-31",
                    "M",
                    "",
                    "",
                    "",
                    "N",
                    "",
                    "",
                ],
            ),
        ];
        assert_eq!(rows, expected, "{encoding:?}");
    }
}

#[tokio::test]
async fn a_transfer_file_that_breaks_off_or_brings_definitions_is_refused() {
    let utf8 = CTF.replace("ISO-8859-1", "UTF-8");
    for cut in [
        utf8.len() - 12,
        utf8.find("<Contacts>").unwrap(),
        utf8.find("<Header>").unwrap(),
        50,
    ] {
        assert_eq!(refused(&utf8[..cut]).await, Refused::Damaged, "{cut}");
    }
    let (declaration, rest) = utf8.split_once('\n').unwrap();
    for definition in [
        "<!DOCTYPE CTfile SYSTEM \"http://a.example/x.dtd\">",
        "<!DOCTYPE CTfile [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>",
        "<!DOCTYPE CTfile>",
    ] {
        assert_eq!(
            refused(format!("{declaration}\n{definition}\n{rest}")).await,
            Refused::Definition,
            "{definition}"
        );
    }
    assert_eq!(
        refused(utf8.replace("Patel", "&who;")).await,
        Refused::Definition
    );
    assert_eq!(
        refused(utf8.replace("<Surname>Patel</Surname>", "<Surname>Patel")).await,
        Refused::Damaged
    );
    let long = utf8.replace("Patel", &"P".repeat(CELL_MOST + 1));
    assert_eq!(refused(long).await, Refused::LongCell(27));
    let nobody = "<CTfile><Header/><CTFpupilData></CTFpupilData></CTfile>";
    assert_eq!(refused(nobody).await, Refused::Empty);
    assert_eq!(
        refused("<?xml version=\"1.0\"?><Message><Pupil/></Message>").await,
        Refused::NotCtf
    );
    let deep = format!("<CTfile>{}", "<a>".repeat(1_000));
    assert_eq!(refused(deep).await, Refused::Damaged);
}

/// The first bytes of the old format, and a name as it stands in it.
fn old_office(name: &str) -> Vec<u8> {
    let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [
        &b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..],
        &[0; 1024],
        &name,
        &[0; 1024],
    ]
    .concat()
}

/// A package of one part.
fn package(name: &str, content: &[u8], method: zip::CompressionMethod) -> Vec<u8> {
    let mut to = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    to.start_file(name, options).unwrap();
    to.write_all(content).unwrap();
    to.finish().unwrap().into_inner()
}

#[tokio::test]
async fn what_is_no_roster_is_refused_with_what_to_do() {
    use zip::CompressionMethod::{Deflated, Stored};
    let roster = workbook(|book| line(book.add_worksheet(), 0, &["UPN", "Surname", "Forename"]));
    read(&roster).await.unwrap();
    let trap = changed_with_trap(&roster);
    let ods = package(
        "mimetype",
        b"application/vnd.oasis.opendocument.spreadsheet",
        Stored,
    );
    for (file, why) in [
        (Vec::new(), Refused::Empty),
        (b" \r\n\r\n ,,\r\n".to_vec(), Refused::Empty),
        (b"\xef\xbb\xbf".to_vec(), Refused::Empty),
        (
            b"Dear office,\nplease find the roster attached.\n".to_vec(),
            Refused::NoHeader,
        ),
        (
            b"B801200005001,Okafor,Amara\nP207000016049,Patel,Dev\n".to_vec(),
            Refused::NoHeader,
        ),
        (b"%PDF-1.7\n1 0 obj\n".to_vec(), Refused::Pdf),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), Refused::Picture),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0".to_vec(), Refused::Picture),
        (
            b"<html><table><tr><td>UPN</td></tr></table></html>".to_vec(),
            Refused::WebPage,
        ),
        (b"\x7fELF\x02\x01\x01\0".to_vec(), Refused::Program),
        (
            b"UPN,Surname,Forename\n\0\0\0\n".to_vec(),
            Refused::NotTable,
        ),
        (old_office("Workbook"), Refused::OldOffice),
        (old_office("EncryptedPackage"), Refused::Locked),
        (ods, Refused::OpenDocument),
        (
            package("word/document.xml", b"<w/>", Stored),
            Refused::NotTable,
        ),
        (package("photo.txt", b"x", Stored), Refused::NotTable),
        (
            package(
                "[Content_Types].xml",
                &vec![b' '; 20 * 1024 * 1024],
                Deflated,
            ),
            Refused::Packed,
        ),
        (trap, Refused::Packed),
        (roster[..roster.len() / 2].to_vec(), Refused::Damaged),
        (roster[..roster.len() - 1].to_vec(), Refused::Damaged),
        (
            workbook(|book| {
                book.add_worksheet();
            }),
            Refused::Empty,
        ),
        (
            workbook(|book| line(book.add_worksheet(), 0, &["UPN", "Surname"])),
            Refused::NoHeader,
        ),
        (
            changed(&roster, "xl/sharedStrings.xml", |part| {
                assert!(part.contains("uniqueCount=\""), "{part}");
                part.replace("uniqueCount=\"", "uniqueCount=\"99999999999")
            }),
            Refused::Memory,
        ),
        (
            changed(&roster, "xl/sharedStrings.xml", |part| {
                format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{part}")
            }),
            Refused::Damaged,
        ),
        (
            workbook(|book| {
                let sheet = book.add_worksheet();
                line(sheet, 0, &["UPN", "Surname", "Forename"]);
                sheet.write(1, 200, "x").unwrap();
            }),
            Refused::ManyColumns,
        ),
        (
            workbook(|book| {
                let sheet = book.add_worksheet();
                line(sheet, 0, &["UPN", "Surname", "Forename"]);
                sheet.write(4, 0, "x".repeat(CELL_MOST + 1)).unwrap();
            }),
            Refused::LongCell(5),
        ),
    ] {
        let told = refused(&file).await;
        assert_eq!(told, why, "{:?}", &file[..file.len().min(40)]);
        assert!(told.to_string().ends_with('.'), "{told}");
    }
    let large = NamedTempFile::new().unwrap();
    large
        .as_file()
        .set_len(inspect::roster::FILE_MOST + 1)
        .unwrap();
    assert_eq!(
        inspector().roster(large.path()).await.unwrap_err(),
        Refused::TooLarge
    );
}

/// A workbook with a part that unpacks to a thousand times its size.
fn changed_with_trap(package: &[u8]) -> Vec<u8> {
    let mut to = zip::ZipWriter::new_append(std::io::Cursor::new(package.to_vec())).unwrap();
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    to.start_file("xl/media/image1.bin", options).unwrap();
    to.write_all(&vec![0; 64 * 1024 * 1024]).unwrap();
    to.finish().unwrap().into_inner()
}

#[tokio::test]
async fn a_refusal_in_the_middle_comes_after_the_rows_before_it_and_stays() {
    let mut text = "UPN,Surname,Forename\n".to_owned();
    text.push_str(&"x,Okafor,Amara\n".repeat(1_000));
    text += "x,";
    text += &"z".repeat(CELL_MOST + 1);
    text += ",y\n";
    let mut table = table(text).await.unwrap();
    for line in 2..=1_001 {
        assert_eq!(table.rows.next().await.unwrap().unwrap().line, line);
    }
    for _ in 0..2 {
        assert_eq!(table.rows.next().await, Err(Refused::LongCell(1_002)));
    }
}

#[tokio::test]
async fn a_child_that_is_killed_is_an_error_and_no_short_table() {
    let mut table = table(hundred_thousand(ROWS_MOST)).await.unwrap();
    assert!(table.rows.next().await.unwrap().is_some());
    let process = table.rows.process().unwrap().to_string();
    let killed = std::process::Command::new("kill")
        .args(["-9", &process])
        .status()
        .unwrap();
    assert!(killed.success());
    let ended = all(&mut table.rows).await;
    assert_eq!(ended.unwrap_err(), Refused::Memory);
    assert_eq!(table.rows.next().await, Err(Refused::Memory));
}

/// A child of which nothing is known, that does what it is told here.
async fn told(script: &str, wall: Duration) -> Result<u64, Refused> {
    let limits = Limits {
        wall,
        ..Limits::default()
    };
    let child = Inspector::new(Path::new("/bin/sh"), ["-c", script], limits);
    let mut table = child.roster(file("x").path()).await?;
    Ok(all(&mut table.rows).await?.len() as u64)
}

#[tokio::test]
async fn what_a_broken_child_says_is_no_table() {
    let head = r#"printf '{"table":{"format":"csv","header":["a","b","c"]}}\n';"#;
    let one = r#"printf '{"row":{"line":2,"cells":["1","2","3"]}}\n';"#;
    let end = r#"printf '{"end":{"rows":1}}\n'"#;
    let minute = Duration::from_secs(60);
    assert_eq!(told(&format!("{head}{one}{end}"), minute).await, Ok(1));
    for (script, why) in [
        (format!("{head}{one}"), Refused::Damaged),
        (format!("{head}{one}exit 101"), Refused::Damaged),
        (format!("{head}{end}"), Refused::Damaged),
        (format!("{head}{one}{one}{end}"), Refused::Damaged),
        (format!("{head}{head}{end}"), Refused::Damaged),
        (format!("{one}{end}"), Refused::Damaged),
        (
            format!("{head}printf '{{\"row\":{{\"line\":2,\"cells\":[\"1\"]}}}}\\n';{end}"),
            Refused::Damaged,
        ),
        (
            format!(
                "{head}printf '{{\"row\":{{\"line\":2,\"cells\":[\"\\\\u0000\",\"\",\"\"]}}}}\\n';{end}"
            ),
            Refused::Damaged,
        ),
        (format!("{head}printf '{{\"row\":'"), Refused::Damaged),
        (format!("{head}echo nonsense"), Refused::Damaged),
        (format!("{head}head -c 3000000 /dev/zero"), Refused::Damaged),
        (
            "head -c 100000000 /dev/zero | tr '\\0' x".to_owned(),
            Refused::Damaged,
        ),
        (
            format!("{head}echo 'memory allocation of 9 bytes failed' >&2; exit 134"),
            Refused::Memory,
        ),
        (format!("{head}exit 3"), Refused::Unchecked),
        ("exit 3".to_owned(), Refused::Unchecked),
        (
            format!("{head}printf '{{\"refused\":\"no_header\"}}\\n'"),
            Refused::NoHeader,
        ),
    ] {
        assert_eq!(told(&script, minute).await, Err(why), "{script}");
    }
    let moment = Duration::from_millis(300);
    assert_eq!(
        told(&format!("{head}{one}sleep 60"), moment).await,
        Err(Refused::Slow)
    );
    assert_eq!(told("sleep 60", moment).await, Err(Refused::Slow));
    // Slow in every row, and so in all of them together.
    let drop_by_drop = format!("{head}while :; do {one}sleep 0.1; done");
    let told = told(&drop_by_drop, Duration::from_secs(1));
    let told = tokio::time::timeout(minute, told).await;
    assert_eq!(told.expect("it goes on for ever"), Err(Refused::Slow));
}

#[tokio::test]
async fn the_time_that_the_caller_takes_is_not_the_childs() {
    let limits = Limits {
        wall: Duration::from_millis(2_000),
        at_once: 1,
    };
    let inspector = Inspector::new(Path::new(CHILD), None::<&str>, limits);
    let file = file(hundred_thousand(2_000));
    let mut table = inspector.roster(file.path()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(all(&mut table.rows).await.unwrap().len(), 2_000);
    // Whoever holds rows holds a place, and gives it back.
    let next =
        tokio::time::timeout(Duration::from_millis(300), inspector.roster(file.path())).await;
    assert!(next.is_err());
    drop(table);
    assert!(inspector.roster(file.path()).await.is_ok());
}

#[tokio::test]
async fn a_caller_who_goes_away_leaves_no_child_behind() {
    let table = table(hundred_thousand(ROWS_MOST)).await.unwrap();
    let process = format!("/proc/{}", table.rows.process().unwrap());
    assert!(Path::new(&process).exists());
    drop(table);
    for _ in 0..100 {
        if !Path::new(&process).exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it still runs");
}

#[tokio::test]
async fn without_a_child_no_file_is_read() {
    let folder = TempDir::new().unwrap();
    let none = Inspector::new(&folder.path().join("none"), None::<&str>, Limits::default());
    assert_eq!(
        none.roster(file("a,b,c\n").path()).await.unwrap_err(),
        Refused::Unchecked
    );
    assert_eq!(
        inspector()
            .roster(&folder.path().join("none"))
            .await
            .unwrap_err(),
        Refused::Unchecked
    );
}
