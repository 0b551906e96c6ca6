"""The words that claim something, by what they claim: English and Polish whole, of other languages what promises money.

Words are folded (lower case, no accents); a ``*`` stands for any ending, and a ``_`` joins the words of a phrase.
"""

from collections.abc import Iterator
from functools import lru_cache

_BY_TAG = {
    # What a price is said with. ``cost`` without an amount is a claim by itself.
    "cost": ("cost costs costing kosztuje kosztuja kosztowa* kosztowal* kostet custa cuesta coute stoji koszt kosztu"),
    "price": (
        "price* pricing pay pays paying paid payable charge charged cena ceny cene cenie cen cenowa cenowo placi "
        "place placisz zaplac* doplac* fee fees preis* precio* prix prezzo worth warta warte wart amount kwota "
        "kwoty"
    ),
    "currency": (
        "notes euro euros eurosow eur eurasow usd gbp pln czk chf sek nok dkk huf ron uah jpy cny rub btc usdt zl "
        "zloty zlote zlotych zlotowk* zlotowek zlocisz* zlotemu zlotymi zeta dollar* dolar* dolcow buck bucks quid "
        "pound pounds sterling funt funty funtow penny pennies pence pennyworth cent cents centow centy grosz "
        "grosze groszy groszach gr franc* frank franki frankow koron korony korun* kc kcs crowns rubl* rouble* "
        "ruble* hryvn* hrywn* yen yuan rupee* peso pesos krona kronor coin coins monet* bitcoin* crypto* krypto* "
        "fiver tenner grand stowa stowke stowki stowe dycha dyche dychy dyszka dyszke piatak* tysiak* forint* lira "
        "lirow leva lei money kasy pieniedzy pieniadze hajs* kr pieniedzmi bani"
    ),
    "percent": (
        "percent percentage per_cent pct procent* prozent porcent* pourcent* per_cento procento procenta percentil*"
    ),
    "fraction": (
        "half halves quarter third fifth tenth polow* pol cwierc cwiartk* halb* halfte mitad moitie meta pulku "
        "polovin* polovic* trzecia"
    ),
    # Never backed: no typed fact says so.
    "discount": (
        "as_a_present special_rate insider_rate staff_rate lower_it name_your_price by_half at_half za_pol rabacik* "
        "taniocha po_kosztach po_taniosci w_cenie symboliczn* minus mniej_przy for_less s_yours is_yours jest_twoja "
        "jest_twoj polowe_mniej discount* rebate* markdown* marked_down knock_off knocked_off sale sales clearance "
        "outlet wholesale bargain* promo promos promotion promotions promotional special_offer* offer_ends "
        "offer_valid limited_offer limited_time our_offer on_offer special_deal good_deal great_deal best_deal "
        "a_deal big_deal deal_of deal_on deals_on deal reduced slashed price_match match_the_price best_price "
        "lowest_price low_price lower_price special_price good_price great_price staff_price staff_prices "
        "employee_price* insider_price* member_price* friend_price* trade_price* secret_price* half_price old_price "
        "previous_price price_drop* price_cut* lower_the_price drop_the_price cut_the_price price_is_low* "
        "price_is_negotiable negotia* haggl* cashback cash_back giveaway bogo buy_one second_one second_pair "
        "two_for three_for save_up save_on save_big save_money you_save savings coupon* voucher* dirt_cheap a_steal "
        "peanuts for_a_song next_to_nothing compensat* credit store_credit gift_card* gift_from gift_with our_gift "
        "as_a_gift_to throw_in thrown_in threw_in promocj* promocyj* rabat* znizk* znizon* obnizk* obnizon* "
        "obnizam* obnizymy obnizy przecen* wyprzedaz* okazja okazji okazje okazyjn* bonus* bon bony bonem talon* "
        "najlepsza_cena najlepszej_cenie najnizsz* nizsza_cena nizszej_cenie polowe_ceny pol_ceny polowy_ceny "
        "polowa_ceny za_bezcen bezcen za_grosze polowe_taniej oszczedz* oszczedn* zaoszczedz* w_prezencie "
        "karta_podarunkow* dorzuc* dodamy w_dobrej_cenie specjalna_cena specjalnej_cenie cena_spada negocj* utarg* "
        "zwrot_gotowki skont* kupon* rabatt* nachlass ermassig* reduziert* angebot* gunstig* billig* schnappchen "
        "sonderpreis gutschein* sparen descuent* oferta rebaj* rebajad* remise* solde soldes reduction* reduccion* "
        "sconto sconti scontat* offerta sleva slevy slevu slevou zlav* zlevnen* korting kortings* akcia akce "
        "uitverkoop kedvezmeny reducere subtract* deduct* off_your off_everything less_than_half"
    ),
    "promise": (
        "for_life get_a_new_one we_replace na_cale_zycie do_konca_zycia zycia lifetime forever unlimited "
        "no_questions* guaranteed guarantees we_guarantee i_guarantee money_back refund* reimburs* dozywotni* "
        "wieczyst* bez_limitu bezterminow* bez_pytan bez_zadnych_pytan gwarantow* gwarantuj* zwracamy_pienia* "
        "zwrot_pieniedzy no_deadline no_time_limit no_limit bez_ograniczen zwrocimy oddamy we_promise i_promise "
        "obiecuj*"
    ),
    "free": (
        "darmoch* ani_grosza need_to_pay be_charged to_nothing free gratis gratisow* complimentary freebie* "
        "freebies on_the_house on_us costs_nothing nothing_to_pay no_cost no_charge no_fee no_fees zero nil "
        "nothing_at_all without_paying pay_nothing don_t_pay do_not_pay won_t_pay never_pay without_cost "
        "without_charge at_no_cost no_extra* no_shipping* no_postage darmow* za_darmo darmo bezplatn* nieodplatn* "
        "za_free za_friko friko nic_nie_kosztuje nie_kosztuje nic_nie_placi* bez_oplat* bez_kosztow zwolnion* "
        "kostenlos* umsonst geschenkt kostenfrei* versandkostenfrei gratuit* gratuito* gratuita* regalo regalado "
        "offert* omaggio zdarma zadarmo ingyen* nulltarif fritt gratiz for_nothing zerowy zerowa"
    ),
    "code": (
        "code codes kod kodu kody kodem kodow promocode hasla_rabat* passcode password magic_word secret_word "
        "use_the_word say_the_word tajne_haslo haslo hasla hasle codice codigo gutscheincode"
    ),
    "soon": (
        "almost_sold plenty_of mamy_ich na_polce ready_for_you looking_at_it not_many piece_remains single_piece "
        "jest_ostatnia restock* back_in_stock back_next back_soon selling_fast selling_out sells_out sell_out "
        "running_out running_low almost_gone nearly_gone last_chance few_left limited_stock limited_supply "
        "limited_quantit* hurry while_stocks while_supplies going_fast run_out ready_to_ship ships_today ships_now "
        "only_a_few last_few od_reki konczy_sie koncza_sie do_wyczerpania wraca_w wroci_w wroca znow_bedzie "
        "znowu_bedzie bedzie_znow ograniczona_ilosc pospiesz* resztk* uwiniet* rozchodz* na_wyczerpaniu"
    ),
    "in_stock": (
        "in_stock on_stock available in_the_warehouse on_hand w_magazynie na_stanie dostepny dostepna dostepne "
        "dostepnych dostepni auf_lager lieferbar en_stock skladem stocked"
    ),
    "out_stock": (
        "out_of_stock sold_out unavailable not_available not_in_stock isn_t_available isn_t_in_stock "
        "aren_t_available wyprzedan* niedostepn* nie_ma_w_magazynie nie_jest_dostepn* brak_w_magazynie ausverkauft "
        "agotado"
    ),
    "left": (
        "left remaining pozostal* zostal* zostaly zostalo sztuk sztuki sztuka sztuke piece pieces last ostatni "
        "ostatnia ostatnie ostatnich ostatnia_sztuka"
    ),
    "cheaper": "cheaper less_expensive costs_less cost_less tansz* taniej kosztuje_mniej kosztuja_mniej",
    "dearer": ("dearer more_expensive pricier costs_more cost_more drozsz* drozej kosztuje_wiecej kosztuja_wiecej"),
    "relative": (
        "cheap cheapest cheaply inexpensive affordable expensive priciest least_expensive undercut* budget_price "
        "tani tania tanie tanio tanich najtansz* najtaniej drogie drogo barato economico levne"
    ),
    "safety": (
        "avalanche* lawin* by_law wojsku wolno_ja safe safest safety safely non_toxic toxic nontoxic hypoallergenic "
        "allerg* legal illegal legally lawful medical* medicin* cures heals treats cure heal harmless poison* "
        "flammable fireproof certified certificat* approved carcinogen* fda bezpieczn* nietoksycz* toksycz* trujac* "
        "hipoalergicz* alergi* uczul* legaln* nielegaln* medyczn* leczy leczni* wyleczy nieszkodliw* palny palna "
        "palne niepaln* atest* certyfik* rakotworcz* zgodny_z_prawem zgodne_z_prawem sicher ungiftig "
        "suitable_for_children suitable_for_babies suitable_for_toddlers fine_for_children fine_for_babies "
        "ok_for_children good_for_babies dla_niemowl* dla_dzieci pregnan* ciazy toddlers babies infants bulletproof "
        "fire_resistant"
    ),
    "date": (
        "noon midnight end_of_the_week polnoc poludniem tomorrow monday tuesday wednesday thursday friday "
        "saturday sunday jutro pojutrze poniedzial* wtorek wtorku sroda srode czwartek czwartku piatek piatku "
        "sobota sobote niedziela niedziele christmas wigili* morgen manana demain zitra domani nochmorgen"
    ),
    # Words that ask for a number, or give one a meaning.
    "day": "day days dni dzien dnia dniu dniach tag tage tagen doba doby dobe workday* workdays",
    "week": "week weeks tydzien tygodni tygodnie tygodnia fortnight",
    "month": "month months miesiac miesiace miesiecy miesiaca monat*",
    "year": "year years rok roku lata lat jahr* decade*",
    "hour": "hour hours hr hrs minute minutes godzin* godz minut* seconds sekund*",
    "delivery": (
        "doreczy* doreczen* deliver* ship ships shipped shipping shipment* postage courier* parcel* locker* arrive* "
        "arriving arrival* dispatch* send_it sent dostaw* dostarcz* wysyl* wysl* kurier* paczk* paczkomat* "
        "przesylk* dotrze dotrz* dociera* dojdzie przyjdzie przyjezdz* versand* liefer* envio livraison post "
        "automat automatu automaty automatow automacie"
    ),
    "returns": (
        "return returns returned returning returnable send_back sent_back send_it_back send_them_back give_it_back "
        "give_back "
        "exchange* exchanged withdraw* zwrot* zwroc* zwraca* oddac oddaj* oddasz odeslac odeslij odsyl* wymian* "
        "wymieni* odstap* ruckgabe* bring_it_back"
    ),
    "warranty": "warrant* guarantee gwarancj* gwarancyjn* rekojm* garantie garantia repair_free",
    "cart": (
        "cart basket total altogether in_all order orders sum koszyk* razem lacznie suma sumie calosc calego cale "
        "zamowieni*"
    ),
    "today": (
        "weekend* overnight today tonight now dzis dzisiaj teraz heute immediately instant* natychmiast* express "
        "ekspres* "
        "same_day next_day fast quick quickly szybko szybk* fastest rapid this_week asap soon wkrotce "
        "tego_samego_dnia od_zaraz worldwide abroad anywhere international* zagranic* na_caly_swiat everywhere"
    ),
    "minimum": "minimum smallest_order min_order najmniejsze_zamowieni* minimaln*",
    "threshold": "from over above starting od powyzej at_least",
    "size": (
        "size sizes sized sizing rozmiar* rozm eu uk height tall chest waist inseam hip hips leg wzrost* klatk* pas "
        "pasie obwod* biodr* nogawk*"
    ),
    "count": (
        "pocket* layer* zip zips zippers season* panel* colour* color* strap* seam* person persons people seats "
        "sizes products options variants questions things ply kieszen* warstw* zamk* zamek kolor* kolory szw* osob* "
        "rozmiary produkt* rzecz* wariant* pytani* bottles butelk* buttons guzik*"
    ),
    "measure": (
        "mm cm m km dm inch inches ft foot feet g kg mg dag lb lbs oz l ml cl dl litre* liter* litr* w kw wh mah v "
        "hz khz mhz ghz mpa bar psi nm lm lux lumen* db denier den dtex gsm c f deg degrees stopni degree gram "
        "grams gramow gramy kilo kilos kilogram* metre* meter* metr* centymetr* milimetr* millimetre* watt* volt* "
        "um rpm dpi mp ah va ohm kj kcal cc yd mb gb tb"
    ),
    "material": (
        "merino wool polyamide polyester elastane cotton hemp linen nylon silk viscose spandex down leather "
        "recycled acrylic lycra cashmere rubber steel carbon aluminium aluminum wood oak ceramic welna welny "
        "merynos* poliamid* poliest* elastan* bawelna bawelny konopi* konopie len lnu jedwab* wiskoz* puch puchu "
        "skora skory recykling* akryl* kaszmir* guma gumy stal stali weglow* wlokno wlokna humidity wilgotnosci "
        "cordura tencel lyocell modal organic bamboo bambus* porcelain porcelan* glass szkl*"
    ),
    # Words that send the customer somewhere else instead of claiming.
    "pointer": (
        "see shown shows listed card cards beside page pages ask tell question questions contact person help "
        "checkout show wallet transfer widac widoczn* podan* karcie stronie obok zapyt* pytan* pomoze pomoc "
        "czlowiek karta przelew* portfel* odbiorze obsluga pokazac"
    ),
    "trigger": (
        "enter type apply quote mention checkout wpisz wpisac wpisujac uzyj uzyc podaj podac use uzywajac redeem "
        "till kasie"
    ),
    "scope": (
        "any_time anytime whenever no_matter kiedykolwiek w_kazdej_chwili w_dowolnym always worn used washed opened "
        "damaged even dirty everything everyone noszon* uzywan* pranych otwart* zniszczon* zawsze nawet kazdy "
        "wszystko accident* cover* everybody everyday_wear obejmuje"
    ),
    "foreign": (
        "der das und ist nicht mit ein eine einen wir uns ihr euch fur auf auch kein keine heute nur el los las una "
        "con para por este esta solo usted hoy su les est avec pour vous nous dans seulement votre il che per sono "
        "questo oggi je jsou pro dnes jen vam vas pouze het een voor niet deze"
    ),
}
#: Words of another language that are words of English or Polish too.
_NOT_FOREIGN = frozenset("je per solo pro los las su post".split())

NUMBERS = {
    word: value
    for value, words in {
        0: "zero", 1: "one jeden jedna jedno", 2: "two dwa dwie dwoch dwaj", 3: "three trzy trzech",
        4: "four cztery czterech", 5: "five funf cinq cinco cinque piec pieciu",
        6: "six szesc szesciu", 7: "seven siedem siedmiu",
        8: "eight osiem osmiu", 9: "nine dziewiec dziewieciu", 10: "ten zehn diez dieci dziesiec dziesieciu",
        11: "eleven jedenascie", 12: "twelve dozen dwanascie tuzin zwolf doce douze dodici dvanact",
        13: "thirteen trzynascie", 14: "fourteen czternascie", 15: "fifteen pietnascie", 16: "sixteen szesnascie",
        17: "seventeen siedemnascie", 18: "eighteen osiemnascie", 19: "nineteen dziewietnascie dziewietnastu",
        20: "twenty dwadziescia zwanzig veinte vingt dwudziestu", 30: "thirty trzydziesci trzydziestu dreissig",
        40: "forty czterdziesci", 50: "fifty piecdziesiat funfzig cincuenta", 60: "sixty szescdziesiat",
        70: "seventy siedemdziesiat", 80: "eighty osiemdziesiat", 90: "ninety dziewiecdziesiat",
        100: "hundred sto", 200: "dwiescie", 300: "trzysta", 400: "czterysta", 500: "piecset", 600: "szescset",
        700: "siedemset", 800: "osiemset", 900: "dziewiecset", 1000: "thousand tysiac tysiace tysiecy tys",
    }.items()
    for word in words.split()
}  # fmt: skip
#: Split over two words, these are put together again.
STRONG = frozenset(
    "free gratis discount discounts percent euro euros dollar dollars zloty zlotych zlote coupon voucher refund promo "
    "darmo rabat rabatu promocja znizka znizki procent cheaper taniej twenty thirty forty fifty sixty seventy eighty "
    "ninety hundred dwanascie dwadziescia trzydziesci piecdziesiat tomorrow lifetime delivery".split()
)
#: What a word that such a one is split into may be.
STRONG_BEGINNINGS = frozenset(word[:length] for word in STRONG for length in range(1, len(word)))
#: Which of the words above are never true, because nothing typed can say them.
NEVER = ("discount", "promise", "soon", "relative", "safety", "date")


def _entries() -> Iterator[tuple[str, str]]:
    for tag, words in _BY_TAG.items():
        for word in words.split():
            if tag != "foreign" or word not in _NOT_FOREIGN:
                yield word, tag


_WORDS: dict[str, set[str]] = {}
_STEMS: dict[str, set[str]] = {}
#: First word (or, with a star, its beginning in PHRASE_STEM letters) → the rest and what the phrase claims.
PHRASES: dict[str, list[tuple[tuple[str, ...], str]]] = {}
for _word, _tag in _entries():
    if "_" in _word:
        _first, *_rest = _word.split("_")
        PHRASES.setdefault(_first, []).append((tuple(_rest), _tag))
    elif _word.endswith("*"):
        _STEMS.setdefault(_word[:-1], set()).add(_tag)
    else:
        _WORDS.setdefault(_word, set()).add(_tag)
for _number in NUMBERS:
    _WORDS.setdefault(_number, set()).add("numeral")
_SHORTEST, _LONGEST = min(map(len, _STEMS)), max(map(len, _STEMS))


@lru_cache(maxsize=16_384)
def tags(word: str) -> frozenset[str]:
    """Everything a folded word may claim or be about."""
    found = set(_WORDS.get(word, ()))
    for length in range(_SHORTEST, min(len(word), _LONGEST) + 1):
        found |= _STEMS.get(word[:length], set())
    return frozenset(found)


def phrases_at(words: list[str], at: int) -> Iterator[tuple[int, str]]:
    """The phrases that begin at a word: their length and tag."""
    for rest, tag in PHRASES.get(words[at], ()):
        there = words[at + 1 : at + 1 + len(rest)]
        if len(there) == len(rest) and all(map(_matches, there, rest)):
            yield len(rest) + 1, tag


def _matches(word: str, pattern: str) -> bool:
    return word.startswith(pattern[:-1]) if pattern.endswith("*") else word == pattern
