"""A gallery that lives: enrolled, searched, changed and forgotten, in a file beside you or on a Milvus cluster."""

from keras_reid.gallery.enrolment import Enrolment
from keras_reid.gallery.filters import Condition, field
from keras_reid.gallery.fingerprint import Fingerprint
from keras_reid.gallery.gallery import Gallery
from keras_reid.gallery.matching import Match
from keras_reid.gallery.recall import ShortlistRecall

__all__ = ["Condition", "Enrolment", "Fingerprint", "Gallery", "Match", "ShortlistRecall", "field"]
