// Transformer of a Mirth / NextGen Connect destination (E4X, Rhino): what a DICOM message states of its
// de-identification, as DICOM JSON (PS3.18 F.2) for POST /sync of deidfhir's gateway.
//
// msg         the message, as Mirth's data type DICOM makes it: <dicom> of <tag00100020 vr="LO"> and so on
// channelMap  gets `deidfhirObject`, the text to be sent as application/dicom+json
//
// Only what deidfhir reads is sent. It is written in ASCII, so that no setting of a charset can spoil it.

// wanted: begin (made from mappings/attributes.toml by python -m tools.generate_mirth_channel)
var deidfhirWanted = {
    "object": {
        "00020012": ["UI"],
        "00020013": ["SH"],
        "00020016": ["AE"],
        "00080005": ["CS"],
        "00080008": ["CS"],
        "00080016": ["UI"],
        "00080018": ["UI"],
        "00080020": ["DA"],
        "00080021": ["DA"],
        "00080030": ["TM"],
        "00080031": ["TM"],
        "00080060": ["CS"],
        "00080110": ["SQ", "scheme item"],
        "00080201": ["SH"],
        "00081030": ["LO"],
        "0008103E": ["LO"],
        "00100020": ["LO"],
        "00100040": ["CS"],
        "00120062": ["CS"],
        "00120063": ["LO"],
        "00120064": ["SQ", "code item"],
        "00130010": ["LO"],
        "00130011": ["LO"],
        "00130012": ["LO"],
        "00130013": ["LO"],
        "00130014": ["LO"],
        "00130015": ["LO"],
        "00130016": ["LO"],
        "00130017": ["LO"],
        "00130018": ["LO"],
        "00130019": ["LO"],
        "0013001A": ["LO"],
        "0013001B": ["LO"],
        "0013001C": ["LO"],
        "0013001D": ["LO"],
        "0013001E": ["LO"],
        "0013001F": ["LO"],
        "00180015": ["CS"],
        "0018A001": ["SQ", "equipment item"],
        "0020000D": ["UI"],
        "0020000E": ["UI"],
        "00200011": ["IS"],
        "00200013": ["IS"],
        "00280301": ["CS"],
        "00280302": ["CS"],
        "00280303": ["CS"],
        "0040A043": ["SQ", "code item"],
        "00420010": ["ST"],
        "00700080": ["CS"],
        "04000500": ["SQ"]
    },
    "scheme item": {
        "00080102": ["SH"],
        "0008010C": ["UI"]
    },
    "code item": {
        "00080100": ["SH"],
        "00080102": ["SH"],
        "00080103": ["SH"],
        "00080104": ["LO"],
        "00080105": ["CS"],
        "00080106": ["DT"],
        "00080107": ["DT"],
        "0008010B": ["CS"],
        "0008010D": ["UI"],
        "0008010F": ["CS"],
        "00080117": ["UI"],
        "00080118": ["UI"],
        "00080119": ["UC"],
        "00080120": ["UR"],
        "00080121": ["SQ", "code item"],
        "00080122": ["LO"]
    },
    "equipment item": {
        "00080070": ["LO"],
        "00080080": ["LO"],
        "00080081": ["ST"],
        "00081010": ["SH"],
        "00081040": ["LO"],
        "00081041": ["SQ", "code item"],
        "00081070": ["PN"],
        "00081072": ["SQ"],
        "00081090": ["LO"],
        "00181000": ["LO"],
        "00181002": ["UI"],
        "0018100A": ["SQ", "udi item"],
        "00181020": ["LO"],
        "0018A002": ["DT"],
        "0018A003": ["ST"],
        "0040A170": ["SQ", "code item"]
    },
    "udi item": {
        "00181009": ["UT"],
        "00500020": ["LO"]
    }
};
// wanted: end

// What has one value, in which the backslash is a character like any other (PS3.5 6.2).
var deidfhirWhole = {ST: true, LT: true, UT: true, UR: true};
var deidfhirNumber = {US: true, SS: true, UL: true, SL: true};

function deidfhirValue(text, vr) {
    var value = text.replace(/[ \u0000]+$/, '');
    if (value === '') {
        return null;
    }
    if (vr === 'PN') {
        var groups = value.split('='), name = {};
        var names = ['Alphabetic', 'Ideographic', 'Phonetic'];
        for (var i = 0; i < groups.length && i < names.length; i++) {
            if (groups[i] !== '') {
                name[names[i]] = groups[i];
            }
        }
        return name;
    }
    return deidfhirNumber[vr] && /^-?[0-9]+$/.test(value) ? parseInt(value, 10) : value;
}

function deidfhirElement(element, vr, items) {
    var found = {vr: vr}, value = [];
    if (vr === 'SQ') {
        for each (var item in element.item) {
            value.push(items ? deidfhirObjectOf(item, items) : {});
        }
    } else {
        var text = element.text().toString();
        var parts = deidfhirWhole[vr] ? [text] : text.split('\\');
        for (var i = 0; i < parts.length; i++) {
            value.push(deidfhirValue(parts[i], vr));
        }
        if (value.length === 1 && value[0] === null) {
            value = [];
        }
    }
    if (value.length > 0) {
        found.Value = value;
    }
    return found;
}

function deidfhirObjectOf(node, within) {
    var wanted = deidfhirWanted[within], found = {};
    for each (var element in node.elements()) {
        var tag = String(element.localName()).toUpperCase().replace(/^TAG/, '');
        if (wanted.hasOwnProperty(tag)) {
            found[tag] = deidfhirElement(element, wanted[tag][0], wanted[tag][1]);
        }
    }
    return found;
}

function deidfhirAscii(text) {
    return text.replace(/[\u007f-\uffff]/g, function (one) {
        return '\\u' + ('0000' + one.charCodeAt(0).toString(16)).slice(-4);
    });
}

channelMap.put('deidfhirObject', deidfhirAscii(JSON.stringify(deidfhirObjectOf(msg, 'object'))));
