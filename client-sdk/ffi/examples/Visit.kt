/** A visit, from a code to headquarters: java … VisitKt FOLDER URL CODE */
import aralau.*

fun main(args: Array<String>) {
    val (folder, url, code) = args
    Device.open(folder).use { device ->
        device.enroll(url, code)
        device.sync(0u) // brings the places
        val place = device.round().first()
        val draft = device.beginDraft(VisitForm(place = place.id))
        device.keepDraft(draft, VisitForm(place = place.id, visitType = "door_to_door", outcome = "contacted", note = "Қоңырау"))
        val visit = device.logDraft(draft)
        device.sync(0u)
        println("${place.address} ${Regex(""""state":"(\w+)"""").find(device.visit(visit))?.groupValues?.get(1)}")
        try {
            device.logDraft(draft)
        } catch (e: DeviceException.Failed) {
            println("${e.code} ${e.action}")
        }
    }
}
