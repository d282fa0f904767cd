"""The scores of a hypothesis, in any script."""

from __future__ import annotations

import zlib

import pytest

from batchscribe.speech.doubts import MAX_COMPRESSION
from batchscribe.speech.whisper_model import Hypothesis

#: From the Universal Declaration of Human Rights; about 30 s when read aloud.
READ_ALOUD = {
    "English": "All human beings are born free and equal in dignity and rights. They are endowed with reason and "
    "conscience and should act towards one another in a spirit of brotherhood. Everyone is entitled to all the rights "
    "and freedoms set forth in this Declaration, without distinction of any kind, such as race, colour, sex, language, "
    "religion, political or other opinion, national or social origin, property, birth or other status.",
    "Hindi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। "
    "उन्हें बुद्धि और अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव "
    "करना चाहिए। प्रत्येक को इस घोषणा में सन्निहित सभी अधिकारों और आजादियों को प्राप्त करने का "
    "हक है और इस मामले में जाति, वर्ण, लिंग, भाषा, धर्म, राजनीति या अन्य विचार-प्रणाली, किसी "
    "देश या समाज विशेष में जन्म, सम्पत्ति या किसी अन्य मर्यादा आदि के कारण भेदभाव का विचार न "
    "किया जाएगा।",
    "Georgian": "ყველა ადამიანი იბადება თავისუფალი და თანასწორი თავისი ღირსებითა და უფლებებით. მათ "
    "მინიჭებული აქვთ გონება და სინდისი და ერთმანეთის მიმართ უნდა იქცეოდნენ ძმობის "
    "სულისკვეთებით. ყოველი ადამიანი, განურჩევლად რასისა, კანის ფერისა, სქესისა, ენისა, "
    "რელიგიისა, პოლიტიკური ან სხვა მრწამსისა, ეროვნული ან სოციალური წარმოშობისა, ქონებრივი, "
    "წოდებრივი ან სხვა მდგომარეობისა.",
    "Thai": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม "
    "และควรปฏิบัติต่อกันด้วยเจตนารมณ์แห่งภราดรภาพ "
    "ทุกคนย่อมมีสิทธิและอิสรภาพบรรดาที่กำหนดไว้ในปฏิญญานี้ โดยปราศจากความแตกต่างไม่ว่าชนิดใด ๆ "
    "ดังเช่น เชื้อชาติ ผิว เพศ ภาษา ศาสนา ความคิดเห็นทางการเมืองหรือทางอื่น "
    "เผ่าพันธุ์แห่งชาติหรือสังคม ทรัพย์สิน กำเนิด หรือสถานะอื่น ๆ",
}


def compression(text: str) -> float:
    return Hypothesis(tokens=(), text=text, avg_logprob=0.0, no_speech=0.0).compression


@pytest.mark.parametrize("language", READ_ALOUD)
def test_a_long_text_does_not_count_as_repetition_because_of_its_script(language: str) -> None:
    assert 1.0 < compression(READ_ALOUD[language]) < MAX_COMPRESSION


@pytest.mark.parametrize("language", READ_ALOUD)
def test_a_loop_is_a_repetition_in_every_script(language: str) -> None:
    assert compression(READ_ALOUD[language][:40] * 6) > MAX_COMPRESSION


def test_a_text_of_very_many_different_letters_repeats_nothing() -> None:
    assert compression("".join(map(chr, range(0x4E00, 0x4E00 + 300)))) < MAX_COMPRESSION


def test_english_is_as_long_as_its_bytes() -> None:
    encoded = READ_ALOUD["English"].encode()
    assert compression(READ_ALOUD["English"]) == len(encoded) / len(zlib.compress(encoded))


def test_no_text_repeats_nothing() -> None:
    assert compression("") == 0.0
